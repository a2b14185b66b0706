/**
 * The tables of an inbox. `chunks` are rows as they were sent, many in one record, since they are only ever read in
 * order; `ids` are kept after their rows are gone.
 */
export const inboxTables = `
create table if not exists inbox (name text primary key, value text not null) without rowid;
create table if not exists chunks (
  sequence integer primary key autoincrement,
  target text not null,
  received_at text not null,
  rows integer not null,
  bytes integer not null,
  lines text not null
);
create index if not exists chunks_of_target on chunks (target, sequence, rows, bytes);
create table if not exists ids (
  target text not null,
  id text not null,
  day text not null,
  primary key (target, id)
) without rowid;
create table if not exists refused (
  sequence integer primary key autoincrement,
  target text not null,
  received_at text not null,
  reason text not null,
  words text not null,
  row text not null
);
create table if not exists answers (
  scope text not null,
  key text not null,
  fingerprint text not null,
  answered_at text not null,
  status integer not null,
  body blob not null,
  primary key (scope, key)
) without rowid;
create index if not exists answers_by_time on answers (answered_at);
`
