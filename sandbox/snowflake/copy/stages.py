"""Storage integrations, external stages and file formats."""

from typing import Any

from fakesnow.transforms.options import parse_options
from fakesnow.transforms.stage import parts_from_var
from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.state.schema_objects import Name, Options, Stage
from sandbox.snowflake.state.session import Session

DEFAULT_EXTERNAL_ID = "STANDIN_SFCRole=1"
"""External id of an integration that does not set one."""
STAGE_OPTIONS = {"URL", "STORAGE_INTEGRATION", "FILE_FORMAT", "COMMENT"}


def qualified(session: Session, name: str) -> Name:
    """Returns database, schema and name in upper case; missing parts are those of the session."""
    database, schema, plain = parts_from_var(name, session.database, session.schema)
    return str(database), str(schema), str(plain)


def existing_stage(session: Session, name: str) -> Stage:
    """Returns the stage; raises Snowflake's error if it does not exist."""
    stage = session.account.stages.get(qualified(session, name))
    if stage is None:
        raise errors.does_not_exist("Stage", name)
    return stage


def properties(create: exp.Create) -> Options:
    """Returns the options of a CREATE statement; a nested list like FILE_FORMAT=(…) becomes a dict."""
    listed = create.args.get("properties")
    expressions = listed.expressions if listed else []
    if create.find(exp.CredentialsProperty):
        raise errors.not_emulated("CREDENTIALS: a stage needs a STORAGE_INTEGRATION")
    nested = [p for p in expressions if isinstance(p, exp.FileFormatProperty)]
    options = parse_options(p for p in expressions if p not in nested)
    for each in nested:
        options["FILE_FORMAT"] = file_format_options(each.expressions)
    return options


def file_format_options(expressions: list[exp.Expression]) -> Options:
    """Returns the options of FILE_FORMAT=(…); an unquoted FORMAT_NAME is an identifier."""
    options: Options = {}
    for each in expressions:
        value = each.args.get("value")
        if isinstance(value, (exp.Table, exp.Column)):
            options[each.name.upper()] = value.sql(dialect="snowflake")
        else:
            options.update(parse_options([each]))
    return options


def create_integration(session: Session, create: exp.Create) -> str:
    """Records an integration; returns Snowflake's status message."""
    name = create.this.name.upper()
    known = session.account.integrations
    if name in known and create.args.get("exists"):
        return f"{name} already exists, statement succeeded."
    if name in known and not create.args.get("replace"):
        raise errors.already_exists(name)
    known[name] = properties(create)
    return f"Integration {name} successfully created."


def describe_integration(session: Session, name: str) -> list[tuple[str, str, str, str]]:
    """Returns property, type, value and default, as in DESC INTEGRATION."""
    options = session.account.integrations.get(name)
    if options is None:
        raise errors.does_not_exist("Integration", name)
    locations = ",".join(_as_list(options.get("STORAGE_ALLOWED_LOCATIONS", [])))
    return [
        ("ENABLED", "Boolean", str(options.get("ENABLED", False)).lower(), "false"),
        ("STORAGE_PROVIDER", "String", str(options.get("STORAGE_PROVIDER", "S3")), ""),
        ("STORAGE_ALLOWED_LOCATIONS", "List", locations, "[]"),
        ("STORAGE_AWS_IAM_USER_ARN", "String", "arn:aws:iam::000000000000:user/snowflake-stand-in", ""),
        ("STORAGE_AWS_ROLE_ARN", "String", str(options.get("STORAGE_AWS_ROLE_ARN", "")), ""),
        (
            "STORAGE_AWS_EXTERNAL_ID",
            "String",
            str(options.get("STORAGE_AWS_EXTERNAL_ID", DEFAULT_EXTERNAL_ID)),
            "",
        ),
    ]


def record_stage(session: Session, create: exp.Create) -> None:
    """Checks and records a stage; fakesnow executes the statement."""
    options = properties(create)
    if unknown := options.keys() - STAGE_OPTIONS:
        raise errors.not_emulated(f"the stage option {min(unknown)}")
    url = str(options.get("URL", ""))
    if not url.startswith("s3://"):
        raise errors.not_emulated("stages other than s3://")
    _check_integration(session, str(options.get("STORAGE_INTEGRATION", "")).upper(), url)
    name = qualified(session, create.this.sql(dialect="snowflake"))
    if name not in session.account.stages or create.args.get("replace"):
        session.account.stages[name] = Stage(url, options.get("FILE_FORMAT", {}))
    for literal in create.args["properties"].find_all(exp.Literal):
        literal.set("this", literal.name.replace("'", "''"))  # fakesnow inserts it unescaped into a statement


def _check_integration(session: Session, name: str, url: str) -> None:
    if name not in session.account.integrations:
        raise errors.does_not_exist("Integration", name)
    allowed = _as_list(session.account.integrations[name].get("STORAGE_ALLOWED_LOCATIONS", "*"))
    if "*" not in allowed and not any(url.startswith(location) for location in allowed):
        raise errors.failure(1044, "42601", f"Location '{url}' is not allowed by integration '{name}'.")


def _as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [str(value)]


def record_format(session: Session, create: exp.Create) -> None:
    """Records a file format; fakesnow executes the statement."""
    name = qualified(session, create.this.sql(dialect="snowflake"))
    if name not in session.account.formats or create.args.get("replace"):
        session.account.formats[name] = properties(create)


def named_format(session: Session, options: Options) -> Options:
    """Returns the options, completed with those of the file format FORMAT_NAME."""
    if "FORMAT_NAME" not in options:
        return options
    name = qualified(session, str(options["FORMAT_NAME"]))
    if name not in session.account.formats:
        raise errors.does_not_exist("File format", ".".join(name))
    return {**session.account.formats[name], **{k: v for k, v in options.items() if k != "FORMAT_NAME"}}
