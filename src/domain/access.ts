/** What a request does, as far as keys may allow or forbid it. */
export const scopes = {
  read: 'look at predictions, summaries, versions and what goes with them, one by one or page by page',
  export: 'pull whole days in bulk',
  write: 'send events, answers, customers and interventions, and have a customer scored anew',
  ask: 'ask what-if questions and keep them',
  run: 'have days predicted and versions trained',
  manage: 'keys, webhooks and the audit log',
} as const satisfies Record<string, string>
export type Scope = keyof typeof scopes

/** What a key is for → what it may do. */
export const roles = {
  reader: ['read'],
  crm: ['read', 'export', 'write'],
  analyst: ['read', 'export', 'ask'],
  scientist: ['read', 'export', 'ask', 'run'],
  admin: ['read', 'export', 'write', 'ask', 'run', 'manage'],
} as const satisfies Record<string, readonly Scope[]>
export type Role = keyof typeof roles

/** Whether a role may do it. */
export function mayDo(role: Role, scope: Scope): boolean {
  return (roles[role] as readonly Scope[]).includes(scope)
}
