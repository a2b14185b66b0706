-- Which of the calls from BANK_SCORE_FROM on ended in a deposit.
select
  'call-' || number as customer_id,
  cast(y = 'yes' as integer) as upsell_30
from (
  select *, make_date(cast(2008 + sum(is_new_year) over (order by number) as bigint), month_number, day) as called_on
  from (
    select *, if(month_number < lag(month_number) over (order by number), 1, 0) as is_new_year
    from (
      select y, day, row_number() over () as number, date_part('month', strptime(month, '%b')) as month_number
      from read_csv('${LOYALCAST_REAL_DATA:-../../../shared/data}/bank_marketing/bank_full.csv.gz', parallel = false)
    )
  )
)
where called_on >= date '${BANK_SCORE_FROM:-2010-01-01}'
order by number
