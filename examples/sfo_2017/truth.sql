-- What the held-back passengers answered, with their survey weights. Those who gave no answer are not here.
select
  cast(RESPNUM as varchar) as customer_id,
  NETPRO as score,
  WEIGHT as weight
from read_csv('${LOYALCAST_REAL_DATA:-../../../shared/data}/sfo_2017/survey.csv.gz', nullstr = ['', 'Blank'], sample_size = -1)
where NETPRO between 0 and 10
  and md5_number_lower('${SFO_SEED:-0}-' || RESPNUM) % 10000 < 10000 * ${SFO_HOLDOUT:-0.5}
order by RESPNUM
