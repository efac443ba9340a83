"""The command line: `python -m stock_story COMMAND`."""

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from stock_story import TITLE


def make_parser() -> argparse.ArgumentParser:
    """Describe the commands; heavy imports wait until one is chosen."""
    parser = argparse.ArgumentParser(prog="stock_story", description=TITLE)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    rows = argparse.ArgumentParser(add_help=False)
    rows.add_argument(
        "--drop-invalid-rows", action="store_true", dest="drop_invalid", help="go on without them"
    )
    rows.add_argument("--outside", action="store_true", help="read files from any folder")
    trained = argparse.ArgumentParser(add_help=False)
    trained.add_argument("--run", type=Path, required=True, metavar="DIR")
    data = argparse.ArgumentParser(add_help=False, parents=[trained, rows])
    data.add_argument("--data", type=Path, required=True, metavar="MANIFEST")

    sample = commands.add_parser("sample", help="write a small learnable data set")
    sample.add_argument("folder", type=Path, metavar="DIR")
    sample.add_argument("--rows", type=int, default=400)
    sample.add_argument("--seed", type=int, default=0)

    add_train(commands, rows)

    evaluate = commands.add_parser("evaluate", help="metrics of a run on a split", parents=[data])
    splits = ["train", "validation", "test", "all"]
    evaluate.add_argument("--split", default="", choices=splits, help="default: test, or all")
    evaluate.add_argument("--json", action="store_true", dest="as_json", help="for programs")

    predict = commands.add_parser("predict", help="write predictions", parents=[data])
    predict.add_argument("--out", type=Path, required=True, help=".csv, .jsonl or .parquet")
    predict.add_argument("--carry", action="append", default=[], metavar="COLUMN", help="to copy")

    export = commands.add_parser("export", help="write the model for serving", parents=[trained])
    export.add_argument("--format", default="saved-model", choices=["saved-model"])
    return parser


def add_train(commands: Any, rows: argparse.ArgumentParser) -> None:
    """Describe the command train; what is not given has its default in `Options`."""
    train = commands.add_parser(
        "train", help="train a model", parents=[rows], argument_default=argparse.SUPPRESS
    )
    train.add_argument("--data", type=Path, metavar="MANIFEST", help="without it: the sample")
    train.add_argument("--run", type=Path, default=Path("runs/latest"), metavar="DIR")
    train.add_argument("--epochs", type=int, help="at most; default: by the number of rows")
    train.add_argument("--batch-size", type=int, help="default: by the number of rows, 16 to 256")
    train.add_argument("--learning-rate", type=float, help="its peak; default: 0.002")
    train.add_argument("--seed", type=int)
    train.add_argument("--resume", action="store_true", help="continue an interrupted training")
    train.add_argument(
        "--members",
        type=int,
        help="models to average; default: 4, fewer where training would be long",
    )
    train.add_argument(
        "--threshold",
        choices=["accuracy", "balanced_accuracy", "f1"],
        help="metric that decision thresholds maximize on validation rows",
    )
    train.add_argument("--group", metavar="COLUMN", help="keep its rows together in one split")
    train.add_argument(
        "--time",
        metavar="COLUMN",
        help="test on the latest rows, train on the earliest",
    )


def start_quietly() -> None:
    """Start TensorFlow without its notes on processors and drivers, which no setting silences."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    standard_error = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        tf.zeros(())  # the first tensor looks for devices
    finally:
        os.dup2(standard_error, 2)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    options = vars(make_parser().parse_args(arguments))
    command = options.pop("command")
    from stock_story.manifest import DataError

    for option in ("rows", "epochs", "members", "batch_size"):
        if options.get(option) is not None and options[option] < 1:
            print(f"error: --{option.replace('_', '-')} must be at least 1", file=sys.stderr)
            return 2
    start_quietly()
    try:
        module = import_module(f"stock_story.{command}")
        if command == "sample":
            print(module.write_sample(**options))
        elif command == "train":
            module.train(module.Options(**options))
        elif command == "evaluate":
            as_json = options.pop("as_json")
            result = module.evaluate(**options)
            print(json.dumps(result)) if as_json else module.print_metrics(result)
        else:  # predict, export
            getattr(module, command)(**options)
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads on, as in `... | head -1`
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        return 141  # as a shell says
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
