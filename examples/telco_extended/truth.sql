-- What happened to the held-back fold in the 30 days after 2024-03-01.
select
  "Customer ID" as customer_id,
  cast("Referred a Friend" = 'Yes' as integer) as advocacy_30,
  cast("Churn Label" = 'Yes' as integer) as churn_30
from read_csv('${LOYALCAST_REAL_DATA:-../../../shared/data}/telco/extended.csv.gz', all_varchar = true)
where cast(md5_number_lower("Customer ID") % 5 as varchar) = '${TELCO_FOLD:-0}'
order by customer_id
