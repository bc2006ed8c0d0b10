"""A page over the published file.

    LIQUIDITY_FILE=data/liquidity.duckdb streamlit run streamlit_app.py

Each rerun opens the file, reads, and closes it, so the page follows publications by itself. Do not
put the connection into `st.cache_resource`: one open connection keeps the whole process on the old
file.
"""

import os

import duckdb
import pandas as pd
import streamlit as st

FILE = os.environ.get("LIQUIDITY_FILE", "data/sandbox/liquidity.duckdb")


def read(query: str) -> pd.DataFrame:
    """Return the rows of a query on the file as it is now."""
    with duckdb.connect(FILE, read_only=True) as connection:
        return connection.execute(query).df()


st.title("US liquidity")
publication = read("select as_of, endpoints, is_synthetic from meta.publication").iloc[0]
st.caption(f"As of {publication['as_of']:%Y-%m-%d}, from {publication['endpoints']}")
if publication["is_synthetic"]:
    st.warning("Synthetic data from the sandbox: no real market.")

st.subheader("Newest values")
st.dataframe(
    read("select gauge, date, value, unit, age_days from bi.dashboard"),
    hide_index=True,
    column_config={"date": st.column_config.DateColumn()},
)

st.subheader("Drain of reserves by component, USD bn per week")
drains = read(
    """
    select week_ending, label, drain_reserves_usd_mn / 1000 as usd_bn
    from bi.weekly_drain_components
    where week_ending > (select max(week_ending) - 365 from marts.weekly_drains)
    """
)
if drains.empty:
    st.info("No complete H.4.1 week is held yet.")
else:
    st.bar_chart(drains, x="week_ending", y="usd_bn", color="label")

st.subheader("SOFR less interest on reserves, basis points")
st.line_chart(
    read("select date, sofr_iorb_bp from marts.funding_conditions order by date"),
    x="date",
    y="sofr_iorb_bp",
)
