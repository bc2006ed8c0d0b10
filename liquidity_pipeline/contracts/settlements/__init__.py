"""Contracts of the marts on the settlement of Treasury debt, past and ahead.

Three headlines circulate, and each has its own column and class. The press counts regular bills at
face value, the Fed's part included: `net_usd_mn` of class bill less class cmb. What the public pays
is `net_public_usd_mn` of class all. Treasury's own figure, privately-held net marketable borrowing,
is `privately_held_net_usd_mn`: the same net of buybacks.
"""
