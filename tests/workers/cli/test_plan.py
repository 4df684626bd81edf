"""What `onfile up` runs with when it brings a stand-in for Stripe, and when it no longer does."""

from workers.cli.plan import OF_SANDBOX, SANDBOX_KEY, make_plan

STRIPE = "http://127.0.0.1:8420"
OWN = {"STRIPE_API_KEY": "rk_live_a_persons_own", "ONFILE_STRIPE_URL": "https://proxy.internal"}


def test_with_a_sandbox_that_is_asked_and_no_key_of_the_real_stripe_is_shown_to_it() -> None:
    plan = make_plan(OWN, {}, 8000, sandbox=STRIPE)
    assert plan.settings.stripe_keys == (SANDBOX_KEY,)
    assert plan.settings.stripe_url == STRIPE
    assert OWN["STRIPE_API_KEY"] not in plan.environ.values()
    assert {name: plan.kept[name] for name in OF_SANDBOX} == {
        "STRIPE_API_KEY": SANDBOX_KEY,
        "ONFILE_STRIPE_URL": STRIPE,
    }


def test_without_it_the_next_run_forgets_it() -> None:
    kept = make_plan({}, {}, 8000, sandbox=STRIPE).kept
    plan = make_plan({}, kept, 8000)
    assert not plan.settings.stripe_keys
    assert not {*OF_SANDBOX} & plan.kept.keys()


def test_what_a_person_wrote_into_the_folder_stays() -> None:
    plan = make_plan({}, OWN, 8000)
    assert plan.settings.stripe_keys == (OWN["STRIPE_API_KEY"],)
    assert plan.kept.items() >= OWN.items()
