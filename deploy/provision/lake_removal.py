"""AWS side of `destroy` outside the stack: the files of the lake, its bucket, its notification."""

from typing import NamedTuple

from deploy.changes import Change, ProvisionFailed
from deploy.provision.accounts import Accounts
from deploy.provision.bucket import Bucket
from deploy.provision.remembered import chosen_bucket, remembered_bucket, remembered_folder
from pipeline.lake.layout import PREFIXES

MAX_NAMES = 3
"""Names of other files that the plan shows."""


class RemovableLake(NamedTuple):
    """The lake: its bucket, and its folder there: empty, or with a slash at the end."""

    bucket: Bucket
    folder: str


def find_removable_lake(accounts: Accounts, *, named: bool) -> RemovableLake:
    """The lake of the stack, else of the last `apply`, else the one that `apply` would choose.

    Raises ProvisionFailed if its files are to be deleted (`named`) from a bucket that `apply` did not create,
    and its folder there is not known: other files may have the same prefixes.
    """
    variables, options = accounts.variables.values, accounts.options
    # Also of a stack that could not be deleted completely.
    listed = (accounts.stack.found() or {}).get("Parameters", ())
    known = {one["ParameterKey"]: one["ParameterValue"] for one in listed}
    name = chosen_bucket(accounts, known)
    bucket = accounts.bucket(name)
    # A folder is known for its own bucket only: --bucket may name another one.
    if known.get("BucketName") == name:
        return RemovableLake(bucket, known.get("LakeFolder", ""))
    folder = variables.get("LAKE_FOLDER")
    if not folder and remembered_bucket(options.stack) == name:
        folder = remembered_folder(options.stack)
    if named and not folder and not _is_remembered(options.stack, bucket):
        raise ProvisionFailed(
            f"The folder of the lake in bucket {bucket.name} is not known, and neither are the lake's files. "
            "Set LAKE_FOLDER in .env, or delete the files yourself. Nothing was deleted"
        )
    return RemovableLake(bucket, f"{folder}/" if folder else "")


def _is_remembered(stack: str, bucket: Bucket) -> bool:
    """Returns True if the last `apply` used the bucket, or created it, or if there is nothing to delete."""
    return remembered_bucket(stack) == bucket.name or not bucket.exists() or bucket.is_ours()


def lake_removals(lake: RemovableLake, *, named: bool) -> list[Change]:
    """The changes that `remove_lake` would make; `named`: the command names the lake."""
    bucket, folder = lake
    if not bucket.exists():
        return []
    changes = [] if _deletes_bucket(lake, named=named) else _notification(lake)
    if not named:
        return [*changes, _keep(lake, f"--lake {bucket.name} deletes the lake's files")]
    if bucket.has_lake(folder):
        what = f"files of the lake in s3://{bucket.name}/{folder}"
        changes.append(Change("AWS", "delete", what, f"all versions, in {', '.join(PREFIXES)}"))
    if _deletes_bucket(lake, named=named):
        return [*changes, Change("AWS", "delete", f"bucket {bucket.name}")]
    return [*changes, _keep(lake, _reason(lake))]


def remove_lake(accounts: Accounts, lake: RemovableLake, *, named: bool) -> None:
    """Deletes the lake's files if it is named, and its bucket if `apply` created it and it is empty then."""
    deletes_bucket = _deletes_bucket(lake, named=named)
    for change in lake_removals(lake, named=named):
        accounts.echo(str(change))
    if not lake.bucket.exists():
        return
    if named:
        lake.bucket.delete_lake(lake.folder)
    if deletes_bucket:
        lake.bucket.delete()
    elif _notification(lake):
        lake.bucket.stop_notifying(lake.folder)


def _deletes_bucket(lake: RemovableLake, *, named: bool) -> bool:
    bucket, folder = lake
    return named and bucket.exists() and bucket.is_ours() and not bucket.others(folder)


def _notification(lake: RemovableLake) -> list[Change]:
    """Deletes our notification, which only pipes need."""
    ours, _ = lake.bucket.notifications(lake.folder)
    what = f"notification of bucket {lake.bucket.name}"
    return [Change("AWS", "delete", what, one["QueueArn"]) for one in ours]


def _keep(lake: RemovableLake, reason: str) -> Change:
    return Change("AWS", "keep", f"bucket {lake.bucket.name}", reason)


def _reason(lake: RemovableLake) -> str:
    others = lake.bucket.others(lake.folder)
    if others:
        more = ", …" if len(others) > MAX_NAMES else ""
        return f"it also contains {', '.join(others[:MAX_NAMES])}{more}"
    return "apply did not create it"
