"""Commands that read from an object store and write to it: moto's server, which speaks S3."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'genprm[s3]'")
pytest.importorskip("moto.server", reason="moto's server is not installed")

import fsspec
from moto.server import ThreadedMotoServer
from recorded_curation import record
from typer.testing import CliRunner

from genprm.cli.main import app
from genprm.curate.stages import Stage
from genprm.errors import GenprmError
from genprm.files import read_rows

ROW = {"problem": "2 + 2 * 3", "steps": ["2 * 3 = 6", "2 + 6 = 9", "The answer is 9"], "label": 1}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    started = ThreadedMotoServer(port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    yield f"http://{host}:{port}"
    started.stop()


@pytest.fixture(autouse=True)
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": server}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fsspec.filesystem("s3").clear_instance_cache()
    files = fsspec.filesystem("s3")
    files.mkdir("bucket")
    yield "s3://bucket"
    files.rm("bucket", recursive=True)


def put(url: str, *rows: object) -> str:
    with fsspec.open(url, "w") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))
    return url


def names(folder: str) -> list[str]:
    files = fsspec.filesystem("s3")
    files.invalidate_cache()
    return sorted(name.removeprefix("bucket/") for name in files.find(folder))


def genprm(*words: str, status: int = 0) -> str:
    """What a command says on standard error."""
    done = CliRunner().invoke(app, list(words))
    if isinstance(done.exception, GenprmError):
        assert status == 2
        return str(done.exception)
    assert done.exit_code == status, (done.output, done.exception)
    return done.stderr


def test_rows_are_read_and_written_there_and_a_finished_run_is_known_again(bucket: str) -> None:
    source = put(f"{bucket}/in/rows.jsonl", {**ROW, "id": "a"}, {**ROW, "id": "b"})
    output = f"{bucket}/out/verdicts.parquet"
    words = ["verify", source, "--mode", "direct", "-o", output]
    genprm(*words)
    files = ["verdicts.parquet", "verdicts.parquet.jsonl", "verdicts.parquet.jsonl.run.json"]
    assert names("bucket/out") == [f"out/{name}" for name in files]
    as_json, as_parquet = (
        [(row["id"], row["first_error"], row["problem"]) for _, row in read_rows(name)]
        for name in (f"{output}.jsonl", output)
    )
    assert as_json == as_parquet
    assert [row[0] for row in as_json] == ["a", "b"]
    assert "judge.settings.seed was 0 and is 1" in genprm(*words, "--seed", "1", status=2)


def test_an_evaluation_reads_a_folder_there_and_keeps_its_run_there(bucket: str) -> None:
    put(f"{bucket}/labelled/one.jsonl", {**ROW, "id": "a"})
    put(f"{bucket}/labelled/two.jsonl", {**ROW, "id": "b"})
    run = f"{bucket}/runs/first"
    genprm("evaluate", "processbench", f"{bucket}/labelled/", "--judge", "calculator", "-o", run)
    rows = [row for _, row in read_rows(f"{run}/rows.jsonl")]
    assert [(row["subset"], row["first_error"]) for row in rows] == [("one", 1), ("two", 1)]
    files = ["environment.json", "rows.jsonl", "rows.jsonl.run.json", "summary.json"]
    assert names("bucket/runs") == [f"runs/first/{name}" for name in files]


def test_every_stage_of_a_curation_there_is_the_same_bytes(bucket: str, tmp_path: Path) -> None:
    folder = record(tmp_path)
    recipe = str(folder / "recipe.toml")
    words = ["curate", recipe, "--out", f"{bucket}/curation"]
    genprm(*words, "--stage", "problems", "--stage", "solutions")
    said = genprm(*words)
    assert f"report → {bucket}/curation/report.html" in said
    for stage in Stage:
        with fsspec.open(f"{bucket}/curation/{stage}.jsonl", "rb") as file:
            assert file.read() == (folder / "expected" / f"{stage}.jsonl").read_bytes()
    assert not [name for name in names("bucket/curation") if ".genprm-parts" in name]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("s3://no-such-bucket/rows.jsonl", "bucket does not exist; fix: "),
        ("nowhere://bucket/rows.jsonl", "nowhere; fix: "),
    ],
    ids=["no bucket", "no client"],
)
def test_a_place_that_cannot_be_written_is_one_line_before_the_work(
    bucket: str, output: str, said: str
) -> None:
    source = put(f"{bucket}/rows.jsonl", ROW)
    line = genprm("verify", source, "-o", output, status=2)
    assert said in line
    assert "\n" not in line
