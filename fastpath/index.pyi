from collections.abc import Iterable, Sequence

from .extract_types import NumberSource
from .model import (
    EngineSettings,
    Operation,
    Origination,
    PlanStep,
    SourceNumbers,
    Step,
    StirRule,
    StirSettings,
    Verdict,
)

__all__ = [
    "EngineSettings",
    "Index",
    "Operation",
    "Origination",
    "PlanStep",
    "SourceNumbers",
    "Step",
    "StirRule",
    "StirSettings",
    "Verdict",
]

class Index:
    """Everything that a decision needs. Products: 0 both, 1 PCS, 2 CIN; puts take 1 or 2.

    Names are exact; a put replaces what was there; a drop of what is not there does nothing.
    Numbers and entries come as held; what is no entry, prefix or code matches nothing.
    """

    revision: int

    def __init__(self) -> None: ...
    def commit(self, operations: Iterable[Operation], revision: int) -> None:
        """Applies (method name, arguments) pairs as one transaction.

        ValueError, and nothing changed: a method, product, rule or treatment that is none.
        """

    def put_provider(
        self, product: int, name: str, whitelist: Sequence[str], blacklist: Sequence[str]
    ) -> None:
        """Puts a provider's own (global) lists."""

    def drop_provider(self, product: int, name: str) -> None:
        """Removes the lists; plan, subscribers and settings are dropped on their own."""

    def put_plan(self, name: str, steps: Sequence[PlanStep], error_treatment: str | None) -> None:
        """Puts a provider's plan: its rules that are on, in any order. PCS only.

        ValueError: an unknown rule or treatment, or a rule given twice.
        """

    def drop_plan(self, name: str) -> None: ...
    def put_subscriber(
        self,
        product: int,
        provider: str,
        name: str,
        enabled: bool,
        override: frozenset[str],
        whitelist: Sequence[str],
        blacklist: Sequence[str],
        voicemail: str | None,
    ) -> None:
        """Puts a subscriber; `override` names the rules turned off."""

    def drop_subscriber(self, product: int, provider: str, name: str) -> None: ...
    def put_number(
        self,
        product: int,
        provider: str,
        subscriber: str,
        number: str,
        whitelist: Sequence[str],
        blacklist: Sequence[str],
    ) -> None:
        """Puts a number, whoever had it before. CIN: vip as whitelist, blocked as blacklist."""

    def drop_number(self, product: int, number: str, owner: tuple[str, str] | None = None) -> None:
        """Removes a number; with an owner (provider, subscriber) only where it is theirs."""

    def owner(self, product: int, number: str) -> tuple[str, str] | None:
        """Provider and subscriber of a held number; None where it is not provisioned."""

    def put_criteria(
        self,
        provider: str,
        group: str,
        prefixes: Sequence[str],
        country_codes: Sequence[str],
        point_codes: Sequence[tuple[str, str]],
    ) -> None:
        """Puts a record of service selection criteria. One that gives no kind selects no call."""

    def drop_criteria(self, provider: str, group: str) -> None: ...
    def put_source(
        self,
        provider: str,
        name: str,
        prefixes: Sequence[str],
        orig_id: str,
        attest: str,
        cert_name: str,
        numbers: Sequence[SourceNumbers],
    ) -> None:
        """Puts an origination source."""

    def drop_source(self, provider: str, name: str) -> None: ...
    def put_settings(self, product: int, provider: str, settings: EngineSettings) -> None:
        """Puts the effective settings of a provider, or with "" the platform's.

        ValueError: an unknown treatment.
        """

    def drop_settings(self, product: int, provider: str) -> None:
        """The provider has the platform's again; the platform has the documented defaults."""

    def settings(self, product: int, provider: str = "") -> EngineSettings:
        """The settings in force for a provider, or the platform's."""

    def put_number_sources(
        self, product: int, called: Sequence[NumberSource], calling: Sequence[NumberSource]
    ) -> None:
        """Puts where a product looks for its numbers; of none given the documented defaults."""

    def put_stir_settings(self, settings: StirSettings) -> None:
        """Puts how callers' identities are verified."""

    def stir_settings(self) -> StirSettings:
        """How callers' identities are verified."""

    def stir(self, provider: str) -> StirRule:
        """Whom a provider's stir_shaken rule trusts; the defaults where the rule is off."""

    def number_sources(
        self, product: int
    ) -> tuple[tuple[NumberSource, ...], tuple[NumberSource, ...]]:
        """Where a product looks for called and for calling numbers, in order."""

    def origination(self, source_ip: str, calling: str) -> Origination | None:
        """How an outgoing call is signed: longest prefix, then first mask by priority and order.

        None where no source has the address. Of two sources with one prefix the first by
        (provider, name) counts. An attestation of "N" is given back as it is.
        """

    def signs(self, source_ip: str) -> bool:
        """Whether some calls that come from an address are to be signed."""

    def screen(
        self,
        product: int,
        called: str,
        calling: str,
        anonymous: bool,
        source_ip: str = "",
        point_code: str = "",
        identity: int = 1,
    ) -> Verdict:
        """Decides on a call to `called` from `calling`, of product 1 PCS, 2 CIN, or 0 both.

        Numbers may be as dialled: without "+" the platform's default country code is prepended;
        911 and 112 are shown bare. `called` empty means that none was found: PCS then applies the
        error_treatment of the plan that the source address selects, else ("next" or none)
        default_treatment. `called` that is no number is not provisioned. `calling` that is empty
        or no number means that none was found: an anonymous call goes on without one and is on no
        list; another ends with error_treatment, or where that is not set default_treatment, or
        goes on where it is "next". In CIN a caller without a number is on no list. Emergency and
        protected numbers come before all of that. `source_ip` and `point_code` empty: unknown.
        `identity` is what is known of the caller's, one of model.UNASKED to UNKNOWN. ValueError:
        it is none, or the product.
        """

    def memory(self) -> dict[str, int]:
        """Octets that are held, by kind; at once, whatever the size."""

    def counts(self) -> dict[str, int]:
        """numbers, subscribers, entries of their and of providers' lists, list_octets (of those),
        octets (of all), of these number_octets, subscriber_octets and block_octets (short lists and
        names; used_octets of them in use), and given_up: how much is yet to be freed. At once,
        whatever the size."""

    def tidy(self) -> int:
        """Frees what was given up and no reader reaches any more; how many are left.

        A commit does the same: only after the last of many is this needed.
        """
