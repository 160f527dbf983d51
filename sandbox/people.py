"""Made-up people: names, addresses and emails from a seed, none of them anybody's."""

from dataclasses import dataclass
from random import Random

from sandbox.wire import Doc

_FIRST = [
    "Ada",
    "Alan",
    "Amelia",
    "Anil",
    "Astrid",
    "Ben",
    "Bridget",
    "Carlos",
    "Chloe",
    "Dana",
    "David",
    "Eleni",
    "Emma",
    "Erik",
    "Fatima",
    "Felix",
    "Freya",
    "George",
    "Grace",
    "Hannah",
    "Hugo",
    "Ines",
    "Isla",
    "Ivan",
    "Jack",
    "Jana",
    "Kenji",
    "Klara",
    "Lars",
    "Leila",
    "Liam",
    "Lucia",
    "Maeve",
    "Marco",
    "Maria",
    "Milan",
    "Nadia",
    "Nina",
    "Noah",
    "Olga",
    "Oliver",
    "Omar",
    "Paula",
    "Pierre",
    "Priya",
    "Quentin",
    "Rosa",
    "Ruth",
    "Samir",
    "Sara",
    "Sofia",
    "Sven",
    "Tariq",
    "Tess",
    "Thomas",
    "Uma",
    "Vera",
    "Victor",
    "Wei",
    "Yusuf",
    "Zara",
    "Zoe",
]
_LAST = [
    "Abbott",
    "Adeyemi",
    "Ahmed",
    "Andersen",
    "Baker",
    "Barnes",
    "Becker",
    "Berg",
    "Bianchi",
    "Brown",
    "Campbell",
    "Carter",
    "Chen",
    "Clarke",
    "Costa",
    "Dubois",
    "Eriksen",
    "Evans",
    "Ferrari",
    "Fischer",
    "Garcia",
    "Green",
    "Gupta",
    "Haddad",
    "Hall",
    "Hansen",
    "Hughes",
    "Ivanova",
    "Jensen",
    "Jones",
    "Kaur",
    "Keller",
    "Khan",
    "Kowalski",
    "Laurent",
    "Lopez",
    "Martin",
    "Meyer",
    "Moreau",
    "Nagy",
    "Nakamura",
    "Novak",
    "O'Brien",
    "Okafor",
    "Olsen",
    "Patel",
    "Pereira",
    "Petrov",
    "Quinn",
    "Rossi",
    "Santos",
    "Schmidt",
    "Silva",
    "Singh",
    "Smith",
    "Svensson",
    "Taylor",
    "Thompson",
    "Turner",
    "Vogel",
    "Walker",
    "Weber",
    "Williams",
    "Wright",
    "Young",
    "Zhang",
]
_STREETS = [
    "High Street",
    "Station Road",
    "Church Lane",
    "Mill Lane",
    "Park Avenue",
    "Victoria Road",
    "Green Lane",
    "Manor Road",
    "Kings Road",
    "Queens Road",
    "Orchard Close",
    "The Crescent",
    "Bridge Street",
    "Market Place",
    "Castle Street",
]
_COMPANIES = ("Gifts", "& Daughters", "Interiors", "Trading", "Emporium", "House")
_CITIES = [
    "London",
    "Leeds",
    "Bristol",
    "York",
    "Bath",
    "Norwich",
    "Derby",
    "Exeter",
    "Durham",
    "Lincoln",
    "Cardiff",
    "Glasgow",
    "Oxford",
]
_DOMAINS = ("example.com", "example.net", "example.org")
_COUNTRIES = {
    "United Kingdom": "GB",
    "France": "FR",
    "Germany": "DE",
    "EIRE": "IE",
    "Spain": "ES",
    "Netherlands": "NL",
    "Belgium": "BE",
    "Switzerland": "CH",
    "Portugal": "PT",
    "Australia": "AU",
    "Norway": "NO",
    "Italy": "IT",
    "Finland": "FI",
    "Cyprus": "CY",
    "Sweden": "SE",
    "Austria": "AT",
    "Denmark": "DK",
    "Japan": "JP",
    "Poland": "PL",
    "USA": "US",
    "Israel": "IL",
    "Singapore": "SG",
    "Iceland": "IS",
    "Canada": "CA",
    "Greece": "GR",
    "Malta": "MT",
    "Hong Kong": "HK",
    "Lebanon": "LB",
    "Lithuania": "LT",
    "RSA": "ZA",
    "Brazil": "BR",
    "Bahrain": "BH",
    "Czech Republic": "CZ",
    "Saudi Arabia": "SA",
    "United Arab Emirates": "AE",
    "Channel Islands": "JE",
}


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up person with the addresses they order to."""

    first_name: str
    last_name: str
    email: str
    username: str
    billing: Doc
    shipping: Doc


def person(seed: int, name: str, country: str) -> Person:
    """The person of that name in the data (`c17`, `g536414`); the same seed gives the same one."""
    dice = Random(f"{seed}:{name}")  # noqa: S311 - made-up people, not secrets
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    plain = f"{first}.{last}".lower().replace("'", "")
    email = f"{plain}.{name}@{dice.choice(_DOMAINS)}"
    company = f"{last} {dice.choice(_COMPANIES)}" if dice.random() < 0.3 else ""  # noqa: PLR2004
    billing = {
        "first_name": first,
        "last_name": last,
        "company": company,
        **address(dice, country),
        "email": email,
        "phone": f"+44 1632 {dice.randrange(960000, 961000)}",
    }
    shipping = {key: value for key, value in billing.items() if key != "email"}
    if dice.random() < 0.15:  # noqa: PLR2004 - some send their parcels elsewhere
        shipping.update(address(dice, country))
    return Person(first, last, email, f"{plain}.{name}", billing, shipping)


def address(dice: Random, country: str) -> Doc:
    """Street, town and country in the field order of the API."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    postcode = (
        f"{dice.choice(letters)}{dice.choice(letters)}{dice.randrange(1, 30)}"
        f" {dice.randrange(1, 10)}{dice.choice(letters)}{dice.choice(letters)}"
    )
    return {
        "address_1": f"{dice.randrange(1, 220)} {dice.choice(_STREETS)}",
        "address_2": f"Flat {dice.randrange(1, 40)}" if dice.random() < 0.1 else "",  # noqa: PLR2004
        "city": dice.choice(_CITIES),
        "postcode": postcode,
        "country": _COUNTRIES.get(country, "GB"),
        "state": "",
    }
