"""The symbols that are followed and who provides them, from `universe.toml`.

A user adds an index, a fund or a coin by adding lines to that file; no code knows a symbol.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from liquidity_pipeline.settings import SettingsError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

ASSET_CLASSES = (
    "large_cap",
    "growth",
    "mid_cap",
    "small_cap",
    "quality",
    "long_treasury",
    "investment_grade",
    "high_yield",
    "crypto",
)
INDEX_PROVIDERS = ("yahoo", "cboe", "fred")
CRYPTO_PROVIDERS = ("coinbase", "kraken")


@dataclass(frozen=True)
class Asset:
    """One followed symbol.

    `providers` are `name:provider's symbol`, first choice first. `tolerance` is the relative
    difference of two providers' closes beyond which a day is quarantined. `since` is the first
    day on which the first provider has it.
    """

    symbol: str
    name: str
    asset_class: str
    since: date
    providers: tuple[str, ...]
    tolerance: float

    def provider_symbols(self) -> list[tuple[str, str]]:
        """Return (provider, its symbol) in order of preference."""
        return [(name, symbol) for name, _, symbol in (p.partition(":") for p in self.providers)]


@dataclass(frozen=True)
class Universe:
    """All followed assets: `index` trades in New York sessions, `crypto` every UTC day."""

    index: tuple[Asset, ...]
    crypto: tuple[Asset, ...]

    @classmethod
    def load(cls, reference_dir: Path) -> Universe:
        """Read `universe.toml`; raise SettingsError that names the file and the entry."""
        path = reference_dir / "universe.toml"
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise SettingsError(
                f"{path} does not exist: it lists the symbols to follow. "
                f"Set LIQUIDITY_REFERENCE_DIR to the folder that holds it."
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{path}: {error}") from None
        return cls.from_dict(content, str(path))

    @classmethod
    def from_dict(cls, content: dict[str, Any], origin: str = "universe") -> Universe:
        """Build from the parsed file, or from what the archive recorded.

        Raises SettingsError that names the origin, the entry, the field and what is expected.
        """
        if unknown := set(content) - {"index", "crypto"}:
            raise SettingsError(
                f"{origin}: [[{min(unknown)}]] is not known; assets are under [[index]] or "
                f"[[crypto]]."
            )
        return cls(
            index=_assets(content.get("index", []), INDEX_PROVIDERS, 1e-4, f"{origin} [[index]]"),
            crypto=_assets(
                content.get("crypto", []), CRYPTO_PROVIDERS, 0.02, f"{origin} [[crypto]]"
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able content that `from_dict` reads back."""
        return {
            kind: [asdict(asset) | {"since": asset.since.isoformat()} for asset in assets]
            for kind, assets in (("index", self.index), ("crypto", self.crypto))
        }


def _assets(
    entries: Any, providers: tuple[str, ...], tolerance: float, origin: str
) -> tuple[Asset, ...]:
    if not isinstance(entries, list):
        heading = origin.rsplit(maxsplit=1)[-1]
        raise SettingsError(f"{origin}: expected entries that begin with {heading}.")
    assets = tuple(
        _asset({"tolerance": tolerance, **entry} if isinstance(entry, dict) else entry, origin)
        for entry in entries
    )
    seen: set[str] = set()
    for asset in assets:
        if asset.symbol in seen:
            raise SettingsError(f"{origin}: '{asset.symbol}' is listed twice.")
        seen.add(asset.symbol)
        known = [name in providers and symbol for name, symbol in asset.provider_symbols()]
        if not asset.providers or not all(known):
            raise SettingsError(
                f"{origin} '{asset.symbol}': providers must be among {', '.join(providers)}, "
                f"written as provider:symbol; got {', '.join(asset.providers) or 'none'}."
            )
    return assets


def _asset(entry: Any, origin: str) -> Asset:
    from pydantic import ValidationError

    try:
        return Asset(**_form().validate_python(entry).model_dump())
    except ValidationError as error:
        problem = error.errors()[0]
    name = ".".join(map(str, problem["loc"]))
    which = entry.get("symbol") if isinstance(entry, dict) else None
    where = f"{origin} {which!r}" if isinstance(which, str) else f"{origin}"
    if problem["type"] == "missing":
        raise SettingsError(f"{where}: an entry has no '{name}': {entry}")
    if problem["type"] == "literal_error":
        raise SettingsError(
            f"{where}: {name} '{problem['input']}' is not one of {', '.join(ASSET_CLASSES)}."
        )
    expected = problem["msg"].removeprefix("Value error, ")
    raise SettingsError(f"{where}: {name or 'the entry'}: {expected}; got {problem['input']!r}.")


@cache
def _form() -> TypeAdapter[Any]:
    """Return what an entry of the file must look like. pydantic takes a while to import."""
    from pydantic import (
        AfterValidator,
        BaseModel,
        BeforeValidator,
        ConfigDict,
        Field,
        TypeAdapter,
    )

    Text = Annotated[  # noqa: N806 - a type
        str, Field(min_length=1, max_length=80), AfterValidator(_printable)
    ]

    class Entry(BaseModel):
        model_config = ConfigDict(strict=True, extra="forbid")

        symbol: Text
        name: Text
        asset_class: Literal[ASSET_CLASSES]  # type: ignore[valid-type]
        since: Annotated[date, BeforeValidator(_day), AfterValidator(_plausible)]
        providers: tuple[Annotated[Text, AfterValidator(_no_way_out)], ...] = Field(strict=False)
        tolerance: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]

    return TypeAdapter(Entry)


def _day(value: object) -> object:
    """Read the text that the archive keeps of a day."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("expected a day as YYYY-MM-DD") from None


def _plausible(day: date) -> date:
    if not 1900 <= day.year <= 2100:
        raise ValueError("expected a day between 1900 and 2100")
    return day


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("expected printable letters without blanks around them")
    return text


def _no_way_out(provider: str) -> str:
    """Refuse a symbol that would lead to another path of the provider's service."""
    parts = provider.partition(":")[2].replace("\\", "/").split("/")
    if {".", ".."} & set(parts):
        raise ValueError("expected a symbol, not a path")
    return provider
