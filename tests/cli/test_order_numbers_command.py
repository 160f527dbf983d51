"""What `order-numbers` asks of the service, and what it prints."""

HOME = "/v1/migrations/spring/order-numbers"
SURVEY = {
    "source": {
        "prefix": "#",
        "suffix": "",
        "first": "#1001",
        "last": "#1090",
        "following": "#1091",
        "step": 1,
        "advance": 1.0,
        "gaps": 2,
        "counted": 88,
        "strays": 0,
    },
    "target": None,
    "kept": True,
    "per_day": 12.5,
    "expected": 60,
    "looked_at": 1000,
    "collisions": [{"kind": "taken", "number": "#1042", "source_id": "42", "target_ids": ["7001"]}],
    "headroom": {"own": 1100, "at_launch": 1150, "free": -51, "until": None},
    "proposals": [{"kind": "offset", "first": "#2200", "says": "Let the target begin at #2200."}],
    "advice": "Settings, General, Order ID.",
}


def test_a_survey_is_printed_for_people_and_for_machines(service, run):
    service.answers[f"GET {HOME}"] = (200, SURVEY)

    outcome = run("order-numbers", "-m", "spring")

    assert outcome.code == 0
    for shown in ("#1090", "#1091", "no sequence", "#1042", "7001", "-51", "#2200", "Order ID"):
        assert shown in outcome.out
    assert run("order-numbers", "-m", "spring", "--json").document == SURVEY


def test_a_store_that_does_not_answer_is_told(service, run):
    service.answers[f"GET {HOME}"] = (
        504,
        {"code": "store_too_slow", "detail": "The source did not answer within 40 seconds."},
    )

    outcome = run("order-numbers", "-m", "spring")

    assert outcome.code != 0
    assert "did not answer" in outcome.err
