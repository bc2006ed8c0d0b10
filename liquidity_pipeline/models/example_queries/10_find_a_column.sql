-- Where do I find a figure, and in which unit?
select schema_name, table_name, column_name, unit, meaning
from meta.columns
where meaning ilike '%reserve balances%'
