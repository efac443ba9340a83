"""The command line: `python -m seed_multiply COMMAND`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from seed_multiply import TITLE


def make_parser() -> argparse.ArgumentParser:
    """Describe the commands; heavy imports wait until one is chosen."""
    parser = argparse.ArgumentParser(prog="seed_multiply", description=TITLE)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    sample = commands.add_parser("sample", help="write a small learnable data set")
    sample.add_argument("folder", type=Path, metavar="DIR")
    sample.add_argument("--rows", type=int, default=400)
    sample.add_argument("--seed", type=int, default=0)

    train = commands.add_parser("train", help="train, and write the run")
    train.add_argument("--data", type=Path, metavar="MANIFEST", help="without it: the sample")
    train.add_argument("--run", type=Path, default=Path("runs/latest"), metavar="DIR")
    train.add_argument("--epochs", type=int, help="at most; default: by the number of rows")
    train.add_argument("--batch-size", type=int, help="default: by the number of rows, 16 to 256")
    train.add_argument("--learning-rate", type=float, default=2e-3, help="its peak")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--resume", action="store_true", help="continue an interrupted training")
    train.add_argument("--group", metavar="COLUMN", help="keep its rows together in one split")
    train.add_argument("--time", metavar="COLUMN", help="test on the latest, train on the earliest")
    train.add_argument(
        "--members",
        type=int,
        help="models to average; default: 4, fewer where training would be long",
    )
    train.add_argument(
        "--threshold",
        default="accuracy",
        choices=["accuracy", "balanced_accuracy", "f1"],
        help="metric that decision thresholds maximize on validation rows",
    )
    about_rows(train)

    evaluate = commands.add_parser("evaluate", help="metrics of a run on a split")
    evaluate.add_argument("--run", type=Path, required=True, metavar="DIR")
    evaluate.add_argument("--data", type=Path, required=True, metavar="MANIFEST")
    splits = ["train", "validation", "test", "all"]
    evaluate.add_argument("--split", default="test", choices=splits)
    evaluate.add_argument("--json", action="store_true", dest="as_json", help="for programs")
    about_rows(evaluate)

    predict = commands.add_parser("predict", help="labels and probabilities for each row")
    predict.add_argument("--run", type=Path, required=True, metavar="DIR")
    predict.add_argument("--data", type=Path, required=True, metavar="MANIFEST")
    predict.add_argument("--out", type=Path, required=True, metavar="FILE", help=".csv or .jsonl")
    about_rows(predict)

    export = commands.add_parser("export", help="write the model for serving")
    export.add_argument("--run", type=Path, required=True, metavar="DIR")
    export.add_argument("--format", default="saved-model", choices=["saved-model"])
    return parser


def about_rows(command: argparse.ArgumentParser) -> None:
    """Add the options for invalid rows and for files elsewhere."""
    command.add_argument(
        "--drop-invalid-rows",
        action="store_true",
        dest="drop_invalid",
        help="default: stop at them",
    )


def start_quietly() -> None:
    """Start TensorFlow without its notes on processors and drivers, which no setting silences."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    standard_error = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        tf.zeros(())  # the first tensor looks for devices
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    options = vars(make_parser().parse_args(arguments))
    command = options.pop("command")
    from seed_multiply.manifest import DataError

    for option in ("rows", "epochs", "members", "batch_size"):
        if options.get(option) is not None and options[option] < 1:
            print(f"error: --{option.replace('_', '-')} must be at least 1", file=sys.stderr)
            return 2
    start_quietly()
    try:
        if command == "sample":
            from seed_multiply.sample import write_sample

            print(write_sample(**options))
        elif command == "train":
            from seed_multiply.train import Options, train

            train(Options(**{name: value for name, value in options.items() if value is not None}))
        elif command == "evaluate":
            from seed_multiply.evaluate import evaluate, print_result

            as_json = options.pop("as_json")
            result = evaluate(**options)
            if as_json:
                print(json.dumps(result))
            else:
                print_result(result)
        elif command == "predict":
            from seed_multiply.predict import predict

            predict(**options)
        elif command == "export":
            from seed_multiply.export import export

            export(**options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads on, as in `... | head -1`; what is still to be printed goes nowhere.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.dup2(nowhere, sys.stderr.fileno())
        return 141  # as a shell says of a program that the signal SIGPIPE ends
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
