"""Words for what the tables name in code: components, gauges, segments, levels, sources."""

from __future__ import annotations

from collections.abc import Mapping

from liquidity_pipeline.brief.model import N_, Message, Tone, msg

COMPONENTS = {
    "settlement": N_("Net settlement paid by the public"),
    "tga": N_("Treasury General Account, rise"),
    "on_rrp": N_("Overnight reverse repo, rise"),
    "foreign_rrp": N_("Foreign reverse repo pool, rise"),
    "currency": N_("Currency in circulation, rise"),
    "other_liabilities": N_("Other liabilities and capital, rise"),
    "fed_bill_purchases": N_("Fed purchases of bills"),
    "fed_other_assets": N_("Fed's other assets, rise"),
    "unattributed": N_("Not attributed to a line"),
    "total": N_("Total drain"),
}

# As the legend of a chart has room for.
SHORT_COMPONENTS = {
    "tga": N_("TGA"),
    "on_rrp": N_("ON RRP"),
    "foreign_rrp": N_("foreign RRP"),
    "currency": N_("currency"),
    "other_liabilities": N_("other liabilities"),
    "fed_bill_purchases": N_("Fed bills"),
    "fed_other_assets": N_("Fed other assets"),
    "unattributed": N_("unattributed"),
}

SEASONAL = {
    "drain_reserves": N_("Fall of reserve balances"),
    "tga": N_("Rise of the Treasury General Account"),
    "net_settlement_calendar_week": N_("Net settlement, Monday to Sunday"),
    "net_bills_calendar_week": N_("Net settlement of bills, Monday to Sunday"),
}

INDICATORS = {
    "sofr_iorb_bp": N_("SOFR over IORB"),
    "tgcr_iorb_bp": N_("Tri-party repo rate over IORB"),
    "effr_iorb_bp": N_("Federal funds rate over IORB"),
    "sofr_p99_p25_bp": N_("SOFR dispersion, 99th less 25th percentile"),
    "srf_usd_mn": N_("Standing repo facility, take-up"),
    "weekly_drain_pct": N_("Weekly drain, share of reserves"),
    "reserve_drain_4w_pct": N_("Four-week drain, share of reserves"),
    "tga_rise_20d_pct": N_("20-day rise of the TGA, share of reserves"),
    "reserve_scarcity_pct": N_("Reserve scarcity, share of bank assets"),
    "large_cap_vol_pct": N_("Large caps, 20-day volatility"),
    "small_cap_vol_pct": N_("Small caps, 20-day volatility"),
    "bitcoin_vol_pct": N_("Bitcoin, 20-day volatility"),
    "high_yield_spread_bp": N_("High-yield spread"),
    "high_yield_vol_pct": N_("High-yield fund, 20-day volatility"),
}

SEGMENTS = {
    "funding": N_("funding"),
    "reserves": N_("reserves"),
    "drain": N_("drain"),
    "equity": N_("equity"),
    "crypto": N_("crypto"),
    "credit": N_("credit"),
}

LEVELS = {
    "normal": N_("normal"),
    "watch": N_("watch"),
    "stress": N_("stress"),
    "severe": N_("severe"),
}
TONES: Mapping[str, Tone] = {
    "normal": "calm",
    "watch": "watch",
    "stress": "stress",
    "severe": "severe",
}

CONFIDENCE = {"high": N_("high"), "medium": N_("medium"), "low": N_("low")}

ASSETS = {
    "BTC": N_("Bitcoin"),
    "ETH": N_("Ether"),
    "SOL": N_("Solana"),
    "SPX": N_("S&P 500"),
    "IXIC": N_("Nasdaq Composite"),
    "MID": N_("S&P MidCap 400"),
    "RUT": N_("Russell 2000"),
    "QUAL": N_("US quality shares (fund)"),
    "HYG": N_("High-yield credit (fund)"),
    "LQD": N_("Investment-grade credit (fund)"),
    "TLT": N_("Treasuries over 20 years (fund)"),
}

EVENTS = {
    "fomc_decision": N_("FOMC decision"),
    "refunding_cash_balance": N_("Date of Treasury's assumed cash balance"),
    "bill_purchase_programme": N_("Fed bill purchases: programme date"),
    "iorb_rate": N_("New rate on reserve balances takes effect"),
}

REFERENCE_LEVELS = {
    "reserve balances": N_("Reserve balances"),
    "TGA after 2020": N_("TGA, balance assumed after 2020"),
    "ample reserves, lower end": N_("Ample reserves, lower end (share of bank assets)"),
    "ample reserves, upper end": N_("Ample reserves, upper end (share of bank assets)"),
}

PUBLISHERS = {
    "sources.tga_balance": N_("US Treasury, Daily Treasury Statement"),
    "sources.debt_transactions": N_("US Treasury, Daily Treasury Statement"),
    "sources.debt_settlements": N_("US Treasury, auction results and announcements"),
    "sources.fed_operations": N_("Federal Reserve Bank of New York"),
    "sources.repo_operations": N_("Federal Reserve Bank of New York"),
    "sources.reference_rates": N_("Federal Reserve Bank of New York"),
    "sources.fed_balance_sheet": N_("Federal Reserve Board, H.4.1"),
    "sources.policy_events": N_("policy facts recorded with the pipeline"),
    "marts.reserve_drains": N_("Federal Reserve Board, H.4.1"),
    "marts.weekly_drains": N_(
        "Federal Reserve Board, H.4.1; US Treasury; Federal Reserve Bank of New York"
    ),
    "marts.drain_seasonality": N_("Federal Reserve Board, H.4.1; US Treasury; own estimate"),
    "marts.weekly_settlements": N_("US Treasury, auction results and announcements"),
    "marts.settlement_calendar": N_("US Treasury, auction results and announcements"),
    "marts.settlement_outlook": N_("US Treasury, auction results and announcements"),
    "marts.tga_daily": N_("US Treasury, Daily Treasury Statement"),
    "marts.funding_conditions": N_("Federal Reserve Bank of New York; Federal Reserve Board"),
    "marts.stress_index": N_("own computation from all sources"),
    "marts.stress_flags": N_("own computation from all sources"),
    "marts.reference_levels": N_("Federal Reserve Board, H.4.1; US Treasury"),
    "marts.settlement_outlook_score": N_("own estimate"),
    "marts.tga_trajectory_score": N_("own estimate"),
    "meta.calendar_days": N_("calendars of the Federal Reserve and SIFMA"),
    "meta.freshness": N_("records of this pipeline"),
    "meta.coverage": N_("records of this pipeline"),
    "meta.brief_figures": N_("records of this pipeline"),
    "marts.asset_returns": N_("exchanges and index providers"),
    "marts.rolling_correlations": N_("own estimate"),
    "marts.liquidity_sensitivity": N_("own estimate"),
}


def term(words: Mapping[str, str], code: str) -> Message:
    """Return the words for a code; the code itself where there are none yet."""
    return msg(words.get(code, code))
