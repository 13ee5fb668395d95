"""Additions to moto's CloudFormation: outputs after a change set, secrets, what is retained."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.core.common_models import CloudFormationModel
from moto.ecr.models import ecr_backends
from moto.ecs.models import ecs_backends
from moto.iam.models import SERVICE_NAME_CONVERSION, iam_backends
from moto.logs.models import logs_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import ThreadedMotoServer


class Secret(CloudFormationModel):
    """AWS::SecretsManager::Secret without a value, which moto's CloudFormation does not support."""

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        """Name of the property with the name of the resource."""
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        """Resource type."""
        return "AWS::SecretsManager::Secret"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> "Secret":
        """Creates the secret."""
        del cloudformation_json, kwargs
        backend = secretsmanager_backends[account_id][region_name]
        made, _ = backend._add_secret(resource_name)  # noqa: SLF001 - the public method requires a value
        return cls(made.arn)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        """Deletes the secret without a recovery window."""
        del cloudformation_json
        secretsmanager_backends[account_id][region_name].delete_secret(resource_name, None, True)  # noqa: FBT003


def _made(stack: Any) -> list[Any]:
    """Resources of a stack. moto also lists resources whose condition is false, as None."""
    return [resource for resource in stack.resource_map.values() if resource is not None]


_execute, _delete = CloudFormationBackend.execute_change_set, Stack.delete
_create = CloudFormationBackend.create_change_set


def _create_in_stack(backend: Any, stack_name: str, change_set_name: str, **named: Any) -> tuple[str, str]:
    """Creates a change set in a new stack that has others already, where moto creates a second stack."""
    before = [one for one in backend.stacks.values() if one.name == stack_name]
    made, stack_id = _create(backend, stack_name, change_set_name, **named)
    if not before or before[0].stack_id == stack_id:
        return made, stack_id
    del backend.stacks[stack_id]
    change_set = backend.change_sets[made]
    change_set.stack, change_set.stack_id = before[0], before[0].stack_id
    return made, change_set.stack_id


def _execute_with_outputs(backend: Any, change_set_name: str, stack_name: str | None = None) -> None:
    """Executes a change set and sets what moto omits in a new stack: parameters, template, outputs."""
    _execute(backend, change_set_name, stack_name)
    executed = backend.describe_change_set(change_set_name)
    stack = executed.stack
    for one in [one for one in backend.change_sets.values() if one.stack is stack and one is not executed]:
        del backend.change_sets[one.change_set_id]  # as AWS does: the others are no longer valid
    stack.parameters = {name: str(value) for name, value in stack.resource_map.resolved_parameters.items()}
    stack._parse_template()  # noqa: SLF001 - moto has no other way
    stack.description = stack.template_dict["Description"]
    stack.output_map = stack._create_output_map()  # noqa: SLF001 - likewise


def _delete_all(stack: Any) -> None:
    """Deletes a stack with what moto refuses to delete (images, attached roles) or keeps (policies)."""
    repository = ecr_backends[stack.account_id][stack.region_name].repositories.get(stack.name)
    if repository is not None:
        repository.images.clear()  # EmptyOnDelete
    iam = iam_backends[stack.account_id]["aws"]
    everybody: list[Any] = [*iam.roles.values(), *iam.users.values()]
    for one in [one for one in everybody if one.name.startswith(f"{stack.name}-")]:
        for policy in [*one.managed_policies.values()]:
            policy.detach_from(one)
    for resource in stack.resource_map._resource_json_map.values():  # noqa: SLF001 - moto has no other way
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate":  # moto only knows Retain
            resource["DeletionPolicy"] = "Retain"
    _delete(stack)
    for arn in [arn for arn in iam.managed_policies if arn.rpartition("/")[2].startswith(stack.name)]:
        del iam.managed_policies[arn]
    logs_backends[stack.account_id][stack.region_name].groups.pop(f"/ecs/{stack.name}", None)
    ecs_backends[stack.account_id][stack.region_name].clusters.pop(stack.name, None)


@contextmanager
def serving() -> Iterator[str]:
    """Runs an empty account in this process; yields its address."""
    for noisy in ("werkzeug", "moto"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(CloudFormationBackend, "create_change_set", _create_in_stack)
        patched.setattr(CloudFormationBackend, "execute_change_set", _execute_with_outputs)
        patched.setattr(Stack, "delete", _delete_all)
        patched.setitem(SERVICE_NAME_CONVERSION, "ecs", "ECS")  # AWSServiceRoleForECS, as AWS calls it
        patched.setattr(Stack, "stack_resources", property(_made))
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield f"http://{host}:{port}"
        finally:
            server.stop()
