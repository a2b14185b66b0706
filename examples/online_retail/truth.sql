-- What happened after 2011-09-09: 1 where no invoice followed within the horizon's days (D+1 to D+h).
select
  cast(cast(CustomerID as bigint) as varchar) as customer_id,
  cast(not bool_or(cast(InvoiceDate as date) between date '2011-09-10' and date '2011-10-09') as integer) as churn_30,
  cast(not bool_or(cast(InvoiceDate as date) between date '2011-09-10' and date '2011-11-08') as integer) as churn_60,
  cast(not bool_or(cast(InvoiceDate as date) between date '2011-09-10' and date '2011-12-08') as integer) as churn_90
from read_csv('${LOYALCAST_REAL_DATA:-../../../shared/data}/online_retail/online_retail.csv.gz')
where CustomerID is not null
  and InvoiceNo not like 'C%'
group by CustomerID
having min(cast(InvoiceDate as date)) <= date '2011-09-09'
order by customer_id
