"""PostgreSQL and Valkey of one's own, for a machine where nobody has set up either.

``start()`` brings up both real servers from the wheels of the extra ``embedded`` and gives their
addresses; they end when the last process that asked for them has ended, however it ended.

    with start() as servers:
        print(servers.database_url, servers.redis_url)
"""

from app.embedded.errors import EmbeddedError
from app.embedded.folder import default_data_dir
from app.embedded.servers import Servers, start

__all__ = ["EmbeddedError", "Servers", "default_data_dir", "start"]
