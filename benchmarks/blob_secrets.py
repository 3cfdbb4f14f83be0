"""Texts that should not leave a house, as people leave them behind: paths, e-mails, hosts and keys, drawn by seed."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable

import numpy as np

Generator = np.random.Generator

_PEOPLE = (
    "anna", "bjoern", "c.dubois", "dkim", "e_rossi", "farah.n", "g-lopez", "hwang2", "ines", "jmeier", "kowalski",
    "l.smith", "m.oconnor", "nguyen", "o.petrov", "patel99", "q.zhang", "rjones", "s_tanaka", "t.vanderberg",
)  # fmt: skip
_FIRMS = (
    "cardio-watch",
    "medtrace",
    "nordklinik",
    "heartlab",
    "stmarys-hospital",
    "biosig",
    "pulsar-health",
    "uni-weimar",
)
_ENDINGS = ("com", "org", "de", "io", "co.uk", "edu", "fr", "health", "ch", "net")
_PROJECTS = ("ecg_v3", "ward-7", "arrhythmia", "Patient Data", "2024-trial", "beats", "holter", "study_114", "phase2")
_FILES = (
    "train.csv", "model_final.h5", "patients.xlsx", "run_12/checkpoint", "subject_0047.edf", "labels.json", "fit.py",
    "weights.npz", "notes.txt", "best.keras",
)  # fmt: skip
_MACHINES = ("gpu03", "build-07", "nas", "ml-train-12", "jenkins", "ws-annot4", "db-primary", "dgx1", "fileserver")
_INNER = ("corp", "local", "internal", "lan", "intra", "intranet.corp", "home")


def _of(rng: Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _word(rng: Generator, alphabet: str, length: int) -> str:
    return "".join(alphabet[int(place)] for place in rng.integers(0, len(alphabet), length))


def _key(rng: Generator, length: int) -> str:
    return base64.b64encode(rng.bytes(length)).decode()


PATHS: tuple[Callable[[Generator], str], ...] = (
    lambda r: f"/home/{_of(r, _PEOPLE)}/{_of(r, _PROJECTS)}/{_of(r, _FILES)}",
    lambda r: f"/Users/{_of(r, _PEOPLE)}/Documents/{_of(r, _PROJECTS)}/{_of(r, _FILES)}",
    lambda r: rf"C:\Users\{_of(r, _PEOPLE)}\Desktop\{_of(r, _PROJECTS)}\{_of(r, _FILES)}",
    lambda r: rf"D:\{_of(r, _PROJECTS)}\raw\{_of(r, _FILES)}",
    lambda r: f"/mnt/nfs/{_of(r, _FIRMS)}/{_of(r, _FILES)}",
    lambda r: f"/scratch/{_of(r, _PEOPLE)}/{_of(r, _FILES)}",
    lambda r: f"/content/drive/MyDrive/{_of(r, _PROJECTS)}/{_of(r, _FILES)}",
    lambda r: f"file:///srv/share/{_of(r, _FILES)}",
    lambda r: f"~/{_of(r, _PROJECTS)}/{_of(r, _FILES)}",
    lambda r: f"../../{_of(r, _FIRMS)}/{_of(r, _FILES)}",
    lambda r: f"/Volumes/{_of(r, _PROJECTS)}/{_of(r, _FILES)}",
    lambda r: f"/var/lib/jenkins/workspace/{_of(r, _FIRMS)}/{_of(r, _FILES)}",
    lambda r: f"E:/{_of(r, _FIRMS)}/export/{_of(r, _FILES)}",
    lambda r: f"/home/jörg.müller/{_of(r, _FILES)}",
    lambda r: f"/root/{_of(r, _PROJECTS)}/{_of(r, _FILES)}",
    lambda r: f"/gpfs/work/{_of(r, _PEOPLE)}/{_of(r, _FILES)}",
    lambda r: f"recordings/{_of(r, _PEOPLE)}/session1.wav",
    lambda r: f"/tmp/tmp{_word(r, string.ascii_lowercase + '_0123456789', 8)}/saved_model.pb",
)
EMAILS: tuple[Callable[[Generator], str], ...] = (
    lambda r: f"{_of(r, _PEOPLE)}@{_of(r, _FIRMS)}.{_of(r, _ENDINGS)}",
    lambda r: f"{_of(r, _PEOPLE)}+ml@gmail.com",
    lambda r: f"<{_of(r, _PEOPLE)}@mail.{_of(r, _FIRMS)}.{_of(r, _ENDINGS)}>",
    lambda r: f"{_of(r, _PEOPLE).upper()}@{_of(r, _FIRMS).upper()}.ORG",
    lambda r: f"author: {_of(r, _PEOPLE)}@students.{_of(r, _FIRMS)}.edu",
)
HOSTS: tuple[Callable[[Generator], str], ...] = (
    lambda r: f"{_of(r, _MACHINES)}.{_of(r, _INNER)}",
    lambda r: f"{_of(r, _MACHINES)}.{_of(r, _FIRMS)}.{_of(r, _ENDINGS)}",
    lambda r: f"https://mlflow.{_of(r, _FIRMS)}.{_of(r, _ENDINGS)}/#/experiments/{int(r.integers(99))}",
    lambda r: f"http://{_of(r, _MACHINES)}:8080/job/train",
    lambda r: ".".join(str(int(part)) for part in (10, r.integers(256), r.integers(256), r.integers(1, 255))),
    lambda r: f"192.168.{int(r.integers(256))}.{int(r.integers(1, 255))}:5000",
    lambda r: f"s3://{_of(r, _FIRMS)}-training/{_of(r, _FILES)}",
    lambda r: f"gs://{_of(r, _FIRMS)}-data/raw",
    lambda r: rf"\\{_of(r, _MACHINES)}\cardiology\{_of(r, _FILES)}",
    lambda r: f"ssh://git@{_of(r, _MACHINES)}.{_of(r, _INNER)}/models.git",
    lambda r: f"mqtt://broker.{_of(r, _FIRMS)}.{_of(r, _ENDINGS)}",
    lambda r: f"{_of(r, ('host', 'hostname', 'server'))}={_of(r, _MACHINES)}",
    lambda r: f"{_of(r, _PEOPLE)}@{_of(r, ('ml-train-12', 'ws-annotation4', 'thinkpad-x1', 'workstation'))}",
    lambda r: f"{_of(r, _FIRMS)}.{_of(r, _ENDINGS)}",
    lambda r: f"172.{int(r.integers(16, 32))}.{int(r.integers(256))}.{int(r.integers(1, 255))}",
)
_ALNUM = string.ascii_letters + string.digits
SECRETS: tuple[Callable[[Generator], str], ...] = (
    lambda r: f"-----BEGIN {_of(r, ('RSA ', 'EC ', 'OPENSSH ', ''))}PRIVATE KEY-----\n{_key(r, 48)}\n",
    lambda r: "AKIA" + _word(r, string.ascii_uppercase + string.digits, 16),
    lambda r: "ghp_" + _word(r, _ALNUM, 36),
    lambda r: "glpat-" + _word(r, _ALNUM + "_-", 20),
    lambda r: "xoxb-" + _word(r, string.digits, 12) + "-" + _word(r, _ALNUM, 24),
    lambda r: "AIza" + _word(r, _ALNUM + "_-", 35),
    lambda r: "hf_" + _word(r, _ALNUM, 34),
    lambda r: "sk_live_" + _word(r, _ALNUM, 24),
    lambda r: r.bytes(32).hex(),
    lambda r: r.bytes(20).hex(),
    lambda r: _key(r, 32),
    lambda r: _key(r, 48),
    lambda r: base64.urlsafe_b64encode(r.bytes(32)).decode().rstrip("="),
    lambda r: f"{_of(r, ('password', 'db_password', 'PASSWORD'))}={_word(r, _ALNUM + '!#%', 12)}",
    lambda r: f'"api_key": "{_word(r, _ALNUM, 24)}"',
    lambda r: f"postgresql://{_of(r, ('ml', 'reader'))}:{_word(r, _ALNUM, 10)}@{_of(r, _MACHINES)}/patients",
    lambda r: f"AccountName=firm;AccountKey={_key(r, 64)};EndpointSuffix=x",
    lambda r: ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=")
        for part in (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"4711","name":"x"}', r.bytes(32))
    ),
    lambda r: f"Authorization: Bearer {_word(r, _ALNUM, 32)}",
    lambda r: _word(r, _ALNUM + "+/", 40),
)
