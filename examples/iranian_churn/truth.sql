-- What happened to the held-back fold in the 90 days after 2024-04-01, each of equal rows once.
select distinct
  md5(to_json(row)) as customer_id,
  cast(Churn as integer) as churn_90
from read_csv('${LOYALCAST_REAL_DATA:-../../../shared/data}/iranian_churn/customers.csv.gz', all_varchar = true) as row
where cast(md5_number_lower(to_json(row)) % 5 as varchar) = '${IRANIAN_FOLD:-0}'
order by customer_id
