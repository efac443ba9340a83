"""Make real tables that nobody looked at while the defaults were chosen, to see that they carry over.

    python benchmarks/accuracy/unseen.py OUT

OUT then holds what gather.py makes of its own tables, so that baselines.py and run.py take it as they
take those, with `--results` for a file of its own. Once a default is changed by what a table here shows,
the table belongs in gather.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gather import Table, describe, r_data, write_tables


def unseen_tables() -> dict[str, Table]:
    """Make them from R's data sets."""
    return {
        "churn": (
            r_data("modeldata", "mlc_churn"),
            describe(
                "churn",
                "binary",
                "R: modeldata mlc_churn",
                id="rownames",
                categorical="state area_code",
                binary="international_plan voice_mail_plan",
                numeric="account_length number_vmail_messages total_day_minutes total_day_calls "
                "total_day_charge total_eve_minutes total_eve_calls total_eve_charge "
                "total_night_minutes total_night_calls total_night_charge total_intl_minutes "
                "total_intl_calls total_intl_charge number_customer_service_calls",
            ),
        ),
        "credit": (
            r_data("modeldata", "credit_data"),
            describe(
                "Status",
                "binary",
                "R: modeldata credit_data",
                id="rownames",
                categorical="Home Marital Job",
                binary="Records",
                numeric="Seniority Time Age Expenses Income Assets Debt Amount Price",
            ),
        ),
        "email": (
            r_data("openintro", "email"),
            describe(
                "spam",
                "binary",
                "R: openintro email",
                id="rownames",
                date="time",
                binary="to_multiple from sent_email winner viagra format re_subj exclaim_subj "
                "urgent_subj",
                categorical="number",
                numeric="cc image attach dollar inherit password num_char line_breaks exclaim_mess",
            ),
        ),
        "hotel_rates": (
            r_data("modeldata", "hotel_rates"),
            describe(
                "avg_price_per_room",
                "regression",
                "R: modeldata hotel_rates",
                id="rownames",
                date="arrival_date",
                binary="is_repeated_guest near_christmas near_new_years",
                categorical="meal country market_segment distribution_channel reserved_room_type "
                "assigned_room_type agent company customer_type",
                numeric="lead_time stays_in_weekend_nights stays_in_week_nights adults children "
                "babies previous_cancellations previous_bookings_not_canceled booking_changes "
                "days_in_waiting_list required_car_parking_spaces total_of_special_requests "
                "arrival_date_num historical_adr",
            ),
        ),
        "sacramento": (
            r_data("modeldata", "Sacramento"),
            describe(
                "price",
                "regression",
                "R: modeldata Sacramento",
                id="rownames",
                categorical="city zip type",
                numeric="beds baths sqft latitude longitude",
            ),
        ),
        "tate": (
            r_data("modeldata", "tate_text"),
            describe(
                "year",
                "regression",
                "R: modeldata tate_text",
                id="rownames id",
                categorical="artist",
                text="title medium",
            ),
        ),
    }


def main() -> None:
    """Make the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    write_tables(parser.parse_args().out, unseen_tables())


if __name__ == "__main__":
    main()
