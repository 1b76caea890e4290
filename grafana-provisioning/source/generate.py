"""Writes ../dashboards/*.json from the modules beside it. `make generate` runs it."""

import json
from pathlib import Path

import api_performance
import database
import llm_usage
import overview
import panels

FOLDER = Path(__file__).resolve().parent.parent / "dashboards"


def files():
    """name -> text"""
    modules = {"overview": overview, "api-performance": api_performance, "llm-usage": llm_usage, "database": database}
    return {
        f"{name}.json": json.dumps(module.DASHBOARD, indent=2, ensure_ascii=False) + "\n"
        for name, module in modules.items()
    }


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
