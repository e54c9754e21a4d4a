"""The values that python-dotenv reads from `.env` files, as Flask_PyJWT's load_dotenv() does before it sets variables.

In:  [[text, {name: value of the process's environment}], ...]
Out: [[[key, value or null], ...], ...]
"""

import json
import logging
import os
import sys
import tempfile

from dotenv.main import DotEnv

logging.disable(logging.CRITICAL)
path = os.path.join(tempfile.mkdtemp(), ".env")
answers = []
for text, environment in json.load(sys.stdin):
    with open(path, "wb") as file:
        file.write(text.encode())
    os.environ.clear()
    os.environ.update(environment)
    values = DotEnv(path, override=False, encoding="utf-8").dict()
    answers.append(list(values.items()))
os.unlink(path)
os.rmdir(os.path.dirname(path))
json.dump(answers, sys.stdout)
