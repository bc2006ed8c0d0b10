select date, sofr_iorb_bp, sofr_p75_iorb_bp, sofr_p99_iorb_bp from marts.funding_conditions order by date
