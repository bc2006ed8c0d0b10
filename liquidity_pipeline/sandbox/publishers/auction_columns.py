"""The 114 columns of `auctions_query`, as the service declares them: name, type, label."""

from __future__ import annotations

from liquidity_pipeline.sandbox.publishers.fiscal_query import Column

_DECLARED = """
record_date|DATE|Record Date
cusip|STRING|CUSIP
security_type|STRING|Security Type
security_term|STRING|Security Term
auction_date|DATE|Auction Date
issue_date|DATE|Issue Date
maturity_date|DATE|Maturity Date
price_per100|STRING|Price per $100
accrued_int_per100|NUMBER|Accrued Interest per $100
accrued_int_per1000|NUMBER|Accrued Interest per $1,000
adj_accrued_int_per1000|NUMBER|Adjusted Accrued Interest per $1,000
adj_price|NUMBER|Adjusted Price
allocation_pctage|NUMBER|Allocation Percentage
allocation_pctage_decimals|NUMBER|Allocation Percentage Decimals
announcemtd_cusip|STRING|Announced CUSIP
announcemt_date|DATE|Announcement Date
auction_format|STRING|Auction Format
avg_med_discnt_rate|NUMBER|Average/Median Discount Rate
avg_med_investment_rate|NUMBER|Average/Median Investment Rate
avg_med_price|STRING|Average/Median Price
avg_med_discnt_margin|NUMBER|Average/Median Discount Margin
avg_med_yield|NUMBER|Average/Median Yield
back_dated|STRING|Back Dated
back_dated_date|DATE|Back Dated Date
bid_to_cover_ratio|NUMBER|Bid-to-Cover Ratio
callable|STRING|Callable
call_date|DATE|Call Date
called_date|DATE|Called Date
cash_management_bill_cmb|STRING|Cash Management Bill (CMB)
closing_time_comp|STRING|Closing Time (ET) - Competitive
closing_time_noncomp|STRING|Closing Time (ET) - Noncompetitive
comp_accepted|NUMBER|Competitive Accepted
comp_bid_decimals|NUMBER|Competitive Bid Decimals
comp_tendered|NUMBER|Competitive Tendered
comp_tenders_accepted|STRING|Competitive Tenders Accepted
corpus_cusip|STRING|Corpus CUSIP
cpi_base_reference_period|STRING|CPI Base Reference Period
currently_outstanding|NUMBER|Currently Outstanding
dated_date|DATE|Dated Date
direct_bidder_accepted|NUMBER|Direct Bidder Accepted
direct_bidder_tendered|NUMBER|Direct Bidder Tendered
est_pub_held_mat_by_type_amt|NUMBER|Estimated Amount of Publicly Held Maturing Securities by Type
fima_included|STRING|FIMA Included
fima_noncomp_accepted|NUMBER|FIMA Noncompetitive Accepted
fima_noncomp_tendered|NUMBER|FIMA Noncompetitive Tendered
first_int_period|STRING|First Interest Period
first_int_payment_date|DATE|First Interest Payment Date
floating_rate|STRING|Floating Rate
frn_index_determination_date|DATE|FRN Index Determination Date
frn_index_determination_rate|NUMBER|FRN Index Determination Rate
high_discnt_rate|NUMBER|High Discount Rate
high_investment_rate|NUMBER|High Investment Rate
high_price|STRING|High Price
high_discnt_margin|NUMBER|High Discount Margin
high_yield|NUMBER|High Yield
index_ratio_on_issue_date|NUMBER|Index Ratio On Issue Date
indirect_bidder_accepted|NUMBER|Indirect Bidder Accepted
indirect_bidder_tendered|NUMBER|Indirect Bidder Tendered
int_payment_frequency|STRING|Interest Payment Frequency
int_rate|NUMBER|Interest Rate
low_discnt_rate|NUMBER|Low Discount Rate
low_investment_rate|NUMBER|Low Investment Rate
low_price|STRING|Low Price
low_discnt_margin|NUMBER|Low Discount Margin
low_yield|NUMBER|Low Yield
mat_date|DATE|Maturing Date
max_comp_award|NUMBER|Maximum Competitive Award
max_noncomp_award|NUMBER|Maximum Noncompetitive Award
max_single_bid|NUMBER|Maximum Single Bid
min_bid_amt|NUMBER|Minimum Bid Amount
min_strip_amt|NUMBER|Minimum Strip Amount
min_to_issue|NUMBER|Minimum To Issue
multiples_to_bid|NUMBER|Multiples To Bid
multiples_to_issue|NUMBER|Multiples To Issue
nlp_exclusion_amt|NUMBER|NLP Exclusion Amount
nlp_reporting_threshold|NUMBER|NLP Reporting Threshold
noncomp_accepted|NUMBER|Noncompetitive Accepted
noncomp_tenders_accepted|STRING|Noncompetitive Tenders Accepted
offering_amt|CURRENCY0|Offering Amount
original_cusip|STRING|Original CUSIP
original_dated_date|DATE|Original Dated Date
original_issue_date|DATE|Original Issue Date
original_security_term|STRING|Original Security Term
pdf_filenm_announcemt|STRING|Download PDF - Announcement
pdf_filenm_comp_results|STRING|Download PDF - Competitive Results
pdf_filenm_noncomp_results|STRING|Download PDF - Noncompetitive Results
primary_dealer_accepted|NUMBER|Primary Dealer Accepted
primary_dealer_tendered|NUMBER|Primary Dealer Tendered
ref_cpi_on_dated_date|NUMBER|Reference CPI On Dated Date
ref_cpi_on_issue_date|NUMBER|Reference CPI On Issue Date
reopening|STRING|Reopening
security_term_day_month|STRING|Security Term Day Month
security_term_week_year|STRING|Security Term Week Year
series|STRING|Series
soma_accepted|NUMBER|SOMA Accepted
soma_holdings|NUMBER|SOMA Holdings
soma_included|STRING|SOMA Included
soma_tendered|NUMBER|SOMA Tendered
spread|NUMBER|Spread
std_int_payment_per1000|NUMBER|Standard Interest Payment per $1,000
strippable|STRING|Strippable
tiin_conversion_factor_per1000|NUMBER|TIIN Conversion Factor per $1,000
total_accepted|NUMBER|Total Accepted
total_tendered|NUMBER|Total Tendered
treas_retail_accepted|NUMBER|Treasury Retail Accepted
treas_retail_tenders_accepted|STRING|Treasury Retail Tenders Accepted
unadj_accrued_int_per1000|NUMBER|Unadjusted Accrued Interest per $1,000
unadj_price|NUMBER|Unadjusted Price
xml_filenm_announcemt|STRING|Download XML - Announcement
xml_filenm_comp_results|STRING|Download XML - Competitive Results
inflation_index_security|STRING|Inflation Index Security
tint_cusip_1|STRING|Tint CUSIP 1
tint_cusip_2|STRING|Tint CUSIP 2
pdf_filenm_spec_announcemt|STRING|PDF Filename - Special Announcement
"""

AUCTION_COLUMNS = [Column(*line.split("|")) for line in _DECLARED.strip().splitlines()]
