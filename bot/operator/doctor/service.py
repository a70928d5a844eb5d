"""``doctor`` at the image service: the key, the models it may use, their prices and ends; a picture if asked for."""

from __future__ import annotations

from datetime import timedelta

from bot.operator.doctor.context import Surroundings
from bot.operator.doctor.findings import Finding, failed, needed, passed, warned
from bot.parts import BadDefault, default_model_of
from bot.ports import CannotStart, OperatorPays
from bot.rules.catalogue.catalogue import Catalogue
from bot.rules.catalogue.model import DEFAULT_SERVICE, Model
from bot.rules.catalogue.overnight import is_overnight
from bot.rules.catalogue.pricing import picture_price
from bot.rules.catalogue.services import Service
from bot.rules.errors import UserError
from bot.rules.faults import FaultKind, ServiceFault
from bot.rules.options.build import build_request
from bot.rules.options.sizes import standard_sizes
from bot.rules.options.table import RawOptions
from bot.rules.requests import Inputs, Kind

WARN_BEFORE = timedelta(days=30)
KEYS = "https://platform.openai.com/api-keys"
SPEND_DEADLINE_S = 240.0

ADVICE = {
    FaultKind.FORBIDDEN: "Allow images in the key's project and rights; OpenAI may want the organisation verified.",
    FaultKind.OUT_OF_FUNDS: "Add credit or raise the spending limit at the service.",
}
OTHER_ADVICE = "Try again in a few minutes; if it stays so, look at the service's status page or log."


async def check_key(here: Surroundings) -> list[Finding]:
    """Whether each service that is used has a key where it needs one, and takes it."""
    return [finding for service in here.services() for finding in await _key(here, service)]


async def _key(here: Surroundings, service: Service) -> list[Finding]:
    settings, check = here.settings, _named("image key", service)
    if service.name == DEFAULT_SERVICE and settings.openai_api_key is None and settings.is_official_service:
        if any(fault.startswith("OPENAI_API_KEY:") for fault in here.reading.faults):
            return []
        if settings.discord_token is None:
            return [needed("OPENAI_API_KEY", "not set, so the sandbox draws by itself", f"Get one: {KEYS}.")]
        return [failed(check, "OPENAI_API_KEY is not set, and OpenAI's service needs one", f"Get one: {KEYS}.")]
    try:
        known = await here.service().known_models(OperatorPays(), service=service.name)
    except ServiceFault as error:
        return [_fault(check, error, service)]
    except CannotStart:  # the catalogue cannot be read: check_models says so
        return []
    if known is None:
        says = f"{service.address} answers, but lists no models, so key and models cannot be checked"
        advice = (
            f"Fine for a server without that list; otherwise {setting_of(service, 'base_url')} must be the API's base, "
            "which usually ends in /v1."
        )
        return [warned(check, says, advice)]
    return [passed(check, f"accepted by {service.address}, which lists {len(known)} models")]


async def check_models(here: Surroundings) -> list[Finding]:
    """Which models of the catalogue can be used here, and whether the default is one of them."""
    try:
        catalogue = await _told(here, here.catalogue())
    except CannotStart as error:
        return [failed("models", str(error), "Correct the file that IMAGE_MODELS names; docs/settings.md shows one.")]
    offered = catalogue.offered(official=here.settings.is_official_service, today=here.clock().date())
    found = _default(here, catalogue)
    for service in catalogue.used_services():
        found += _listed(here, catalogue, service)
    usable = tuple(model for model in offered if not catalogue.is_unlisted(model))
    if usable:
        found.append(passed("models", f"usable: {', '.join(model.id for model in usable)}"))
    return found + _ends(here, catalogue, usable) + _prices(usable)


def _listed(here: Surroundings, catalogue: Catalogue, service: Service) -> list[Finding]:
    """What is to be said of a service's list: nothing where it lists what lives there, or has no list."""
    check, today = _named("models", service), here.clock().date()
    is_official = here.settings.is_official_service if service.name == DEFAULT_SERVICE else service.is_official
    offered = catalogue.offered(official=here.settings.is_official_service, today=today)
    theirs = [model for model in offered if model.service == service.name]
    lacking = [model.id for model in theirs if catalogue.is_unlisted(model)]
    if not lacking:
        return []
    if len(lacking) < len(theirs):
        advice = "Nothing to do, unless you want them: hide them with IMAGE_MODELS, or widen the key's rights."
        return [warned(check, f"this key cannot use {', '.join(lacking)}", advice)]
    if not is_official:
        advice = "Add the server's models with IMAGE_MODELS, if it has others; doctor --spend tells by a picture."
        return [warned(check, "the service lists no model of the catalogue", advice)]
    advice = "Add the server's models with IMAGE_MODELS, or use a key of a project that has image models."
    return [failed(check, "the service has no model of the catalogue", advice)]


def _default(here: Surroundings, catalogue: Catalogue) -> list[Finding]:
    match default_model_of(here.settings, here.catalogue(), here.clock().date()):
        case BadDefault() as bad:
            return [failed("DEFAULT_MODEL", bad.says, bad.advice)]
        case Model() as model if catalogue.is_unlisted(model):
            if not catalogue.is_official(model, here.settings.is_official_service):
                advice = "Some list other names than they take (Azure's deployments): doctor --spend settles it."
                return [warned("DEFAULT_MODEL", f"the service does not list {model.id}", advice)]
            advice = "Set DEFAULT_MODEL to a model the service lists, or widen the key's rights."
            return [failed("DEFAULT_MODEL", f"the service does not let this key use {model.id}", advice)]
        case Model() as model:
            return [passed("DEFAULT_MODEL", model.id)]


def _ends(here: Surroundings, catalogue: Catalogue, usable: tuple[Model, ...]) -> list[Finding]:
    """Models that end within 30 days; the service's own date comes before the catalogue's."""
    today = here.clock().date()
    found = []
    for model in usable:
        ends_on = catalogue.ends_on(model, official=here.settings.is_official_service)
        if ends_on is not None and ends_on - today <= WARN_BEFORE:
            instead = ", ".join(model.successors) or "another model"
            says = f"{model.id} {'ended' if ends_on <= today else 'ends'} on {ends_on}"
            found.append(warned("model ends", says, f"Move defaults and members to {instead}."))
    return found


async def check_words(here: Surroundings) -> list[Finding]:
    """Whether the service of the model of words lists it, for ``/describe`` and *Improve*."""
    try:
        catalogue = here.catalogue()
        model = catalogue.chat_model
        if model is None:
            return []
        service = catalogue.services[model.service]
        known = await here.service().known_models(OperatorPays(), service=service.name)
    except (CannotStart, ServiceFault):  # check_models and check_key say so
        return []
    check, name = _named("words", service), model.name or model.id
    if known is not None and name not in {one.id for one in known}:
        where = "CHAT_MODEL" if service.name == DEFAULT_SERVICE else setting_of(service, "chat_model")
        return [warned(check, f"{service.address} does not list {name}", f"Correct {where}; else /describe fails.")]
    return [
        passed(check, f"/describe and Improve with {name}" + ("" if known is not None else ", which is not listed"))
    ]


async def check_overnight(here: Surroundings) -> list[Finding]:
    """Whether each service that is said to draw overnight takes batches, with this key."""
    try:
        catalogue = here.catalogue()
    except CannotStart:  # check_models says so
        return []
    official, today = here.settings.is_official_service, here.clock().date()
    offered = catalogue.offered(official=official, today=today)
    able = [model for model in offered if is_overnight(model, catalogue, official=official)]
    found = []
    for name in dict.fromkeys(model.service for model in able):
        service = catalogue.services[name]
        check = _named("overnight", service)
        models = ", ".join(model.id for model in able if model.service == name and model.alias_of is None)
        try:
            nights = await here.service().nights(service=name)
            await nights.find("doctor", "doctor", here.clock(), OperatorPays())
        except ServiceFault as error:
            says = f"{service.address} takes no batches with this key ({error.fault.kind})"
            advice = "Give the key the rights to files and batches; else members cannot use /batch when:tonight."
            found.append(warned(check, says, advice))
        else:
            found.append(passed(check, f"half price with /batch when:tonight: {models}"))
    return found


def _prices(usable: tuple[Model, ...]) -> list[Finding]:
    unpriced = [model.id for model in usable if picture_price(model) is None]
    if unpriced:
        advice = "Give them a price in IMAGE_MODELS (free = true where pictures cost nothing)."
        return [failed("prices", f"no price is known for {', '.join(unpriced)}, so no budget can hold", advice)]
    return [passed("prices", "known for every usable model")] if usable else []


async def check_budgets(here: Surroundings) -> list[Finding]:
    """Somewhere there should be an end to spending."""
    if here.settings.operator_budget_micro_usd is not None:
        return [passed("budget", f"at most ${here.settings.operator_budget_micro_usd / 1_000_000:,.2f} a month in all")]
    advice = "Set OPERATOR_BUDGET_USD to what you are ready to pay in a month."
    if here.settings.default_budget_micro_usd is None:
        return [warned("budget", "nothing limits what servers may spend", advice)]
    says = "every server has its own budget, but nothing limits all of them together"
    return [warned("budget", says, advice)]


async def check_origins(here: Surroundings) -> list[Finding]:
    """Whom the menu *Where is this from?* asks, since foreign pictures go there."""
    try:
        asked = here.catalogue().knows_origins
    except CannotStart:
        return []  # what is wrong is said above
    if asked is None:
        return []
    price = f"${asked.provenance_price / 1_000_000:,.4f} each" if asked.provenance_price else "free of charge"
    return [passed("origins", f"{asked.address} is asked whether it made a picture, {price}")]


async def check_picture(here: Surroundings) -> list[Finding]:
    """With ``--spend``: makes one small picture, which the service charges for."""
    if not here.spend:
        return []
    try:
        model = default_model_of(here.settings, here.catalogue(), here.clock().date())
        if isinstance(model, BadDefault):
            raise CannotStart(str(model))
        sizes = sorted(standard_sizes(model.sizes), key=lambda size: size.pixels)
        raw = RawOptions(
            "A small red circle on white",
            size=str(sizes[0]) if sizes else None,
            quality=model.qualities[0] if model.qualities else None,
            preview=False,
        )
        request = build_request(raw, model, Kind.IMAGINE)
    except (UserError, CannotStart) as error:
        return [failed("picture", f"none was asked for: {error}", "Mend what is said of DEFAULT_MODEL first.")]
    try:
        made = await here.service().make(
            request, Inputs(), payer=OperatorPays(), member_tag="doctor", deadline_s=SPEND_DEADLINE_S
        )
    except ServiceFault as error:
        return [_fault("picture", error, here.catalogue().services[model.service])]
    image = made.images[0]
    says = f"{model.id} made {image.width}x{image.height} {image.format} of {len(image.data):,} bytes"
    return [passed("picture", says + "; the service charges for it, no server's budget does")]


async def _told(here: Surroundings, catalogue: Catalogue) -> Catalogue:
    """The catalogue with what each service lists; ``check_key`` has said already of whom nothing could be asked."""
    for service in catalogue.used_services():
        is_default = service.name == DEFAULT_SERVICE
        if is_default and here.settings.openai_api_key is None and here.settings.is_official_service:
            continue
        try:
            known = await here.service().known_models(OperatorPays(), service=service.name)
        except (ServiceFault, CannotStart):
            continue
        if known:
            dated = {model.id: model.ends_on for model in known}
            catalogue = catalogue.with_service_facts(dated, service=service.name, is_whole=True)
    return catalogue


def _named(check: str, service: Service) -> str:
    return check if service.name == DEFAULT_SERVICE else f"{check} {service.name}"


def setting_of(service: Service, key: str) -> str:
    """Where that of a service is set."""
    if service.name == DEFAULT_SERVICE:
        return {"base_url": "OPENAI_BASE_URL", "key": "OPENAI_API_KEY", "images_per_minute": "IMAGES_PER_MINUTE"}[key]
    return f"services.{service.name}.{key} in IMAGE_MODELS"


def _fault(check: str, error: ServiceFault, service: Service) -> Finding:
    fault = error.fault
    status = f", status {fault.status}" if fault.status else ""
    code = f", {fault.code}" if fault.code else ""
    keys = f": {KEYS}" if service.name == DEFAULT_SERVICE else ""
    advice = {
        FaultKind.BAD_KEY: f"Make a new key and put it into {setting_of(service, 'key')}{keys}.",
        FaultKind.UNREACHABLE: f"Check {setting_of(service, 'base_url')}, the network, the firewall and that the "
        "server runs.",
        FaultKind.RATE_LIMITED: f"Wait a minute and try again; {setting_of(service, 'images_per_minute')} may be "
        "higher than the key allows.",
        FaultKind.BROKEN_ANSWER: f"{setting_of(service, 'base_url')} must be the API's base (it usually ends in /v1), "
        "not a web page.",
    } | ADVICE
    return failed(check, f"the service says {fault.kind}{status}{code}", advice.get(fault.kind, OTHER_ADVICE))
