-- What happened to the held-back fold in the 30 days after 2024-03-01.
select
  customerID as customer_id,
  cast(Churn = 'Yes' as integer) as churn_30
from read_csv('${LOYALCAST_REAL_DATA:-../../../shared/data}/telco/classic.csv.gz', all_varchar = true)
where cast(md5_number_lower(customerID) % 5 as varchar) = '${TELCO_FOLD:-0}'
order by customer_id
