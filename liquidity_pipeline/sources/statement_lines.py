"""The lines of the Daily Treasury Statement's table II: which are known, and what each one is.

Names change: the overhaul of February 2023 put the agency first, and new lines appear every year.
A name that is not listed is tolerated, sorted by its words, and marked as new.
"""

from __future__ import annotations

from functools import cache

# Words by which a line is sorted, the first that fits; deposits and withdrawals alike.
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("public_debt", ("public debt cash",)),
    ("tax_refunds", ("refund",)),
    ("taxes", ("taxes", "tax deposit", "customs", "excise")),
    ("interest", ("interest on treas",)),
    ("social_security", ("ssa -", "social security", "supplemental security")),
    ("health", ("hhs -", "medica", "health")),
    ("veterans", ("va -", "veterans")),
    ("federal_pay", ("federal salaries", "opm -", "civil serv", "active duty pay", "retirement")),
    ("defense", ("dod", "defense")),
)

# Names that were seen in the statement, before and after the overhaul of February 2023.
KNOWN = frozenset(
    """
    Public Debt Cash Issues (Table IIIB)
    Public Debt Cash Issues (Table III-B)
    Public Debt Cash Redemp. (Table IIIB)
    Public Debt Cash Redemp. (Table III-B)
    Customs and Certain Excise Taxes
    DHS - Customs Duties, Taxes, and Fees
    DHS - Fed Emergency Mgmt Agency (FEMA)
    DHS - Seized Assets
    DHS - Transportation Security Admn (TSA)
    DOI - Fish and Wildlife and Parks
    DOI - Gas and Oil Lease Sales Proceeds
    DOI - Land and Minerals Management
    DOI - Water and Science
    DOL - Pension Benefit Guaranty Corp.
    DOL - Unemployment Benefits
    Dept of Agriculture (USDA) - misc
    Dept of Commerce (DOC)
    Dept of Defense (DoD) - misc
    Dept of Education (ED)
    Dept of Energy (DOE)
    Dept of Health & Human Serv (HHS) - misc
    Dept of Homeland Security (DHS) - misc
    Dept of Housing & Urban Dev (HUD) - misc
    Dept of Interior (DOI) - misc
    Dept of Justice (DOJ)
    Dept of Labor (DOL) - misc
    Dept of State (DOS)
    Dept of Transportation (DOT)
    DoD - Health
    DoD - Military Active Duty Pay
    Federal Reserve Earnings
    Federal Salaries (EFT)
    Food Stamps
    HHS - Federal Hospital Insr Trust Fund
    HHS - Federal Supple Med Insr Trust Fund
    HHS - Grants to States for Medicaid
    HHS - Marketplace Receipts
    HHS - Medicare Premiums
    HUD - Federal Housing Admin (FHA)
    Interest on Treasury Securities
    Medicaid
    Military Active Duty Pay (EFT)
    OPM - Civil Serv Retirement & Disability
    RRB - Benefit Payments
    Railroad Retirement Board (RRB) - misc
    SSA - Benefits Payments
    SSA - Supplemental Security Income
    Securities and Exchange Commission (SEC)
    Small Business Administration (SBA)
    Social Security Admin (SSA) - misc
    Social Security Benefits (EFT)
    Taxes - Corporate Income
    Taxes - Individual Tax Refunds (EFT)
    Taxes - Miscellaneous Excise
    Taxes - Non Withheld Ind/SECA Electronic
    Taxes - Withheld Individual/FICA
    US Army Corps of Engineers
    USDA - Commodity Credit Corporation
    USDA - Federal Crop Insurance Corp Fund
    USDA - Rural Services
    USDA - Supplemental Nutrition Assist Program (SNAP)
    Unclassified
    Unclassified - Deposits
    Unemployment
    United States Postal Service (USPS)
    VA - Benefits
    """.strip()
    .replace("    ", "")
    .split("\n")
)


@cache
def group_of(category: str) -> str:
    """Return what kind of line it is, `other` where no word tells; see `LINE_GROUPS`."""
    words = category.lower()
    for group, signs in _WORDS:
        if any(sign in words for sign in signs):
            return group
    return "other"
