from bi.dashboard
