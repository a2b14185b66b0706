-- Which accounts that had signed up and not churned by the end of 2024-07-02 churned within 30, 60 and 90 days.
select
  account_id as customer_id,
  cast(coalesce(min(churn_date) <= date '2024-08-01', false) as integer) as churn_30,
  cast(coalesce(min(churn_date) <= date '2024-08-31', false) as integer) as churn_60,
  cast(coalesce(min(churn_date) <= date '2024-09-30', false) as integer) as churn_90
from read_csv('${LOYALCAST_REAL_DATA:-../../../shared/data}/ravenstack/accounts.csv.gz') as account
left join read_csv('${LOYALCAST_REAL_DATA:-../../../shared/data}/ravenstack/churn_events.csv.gz') as churn using (account_id)
where signup_date <= date '2024-07-02'
group by account_id
having coalesce(min(churn_date) > date '2024-07-02', true)
order by customer_id
