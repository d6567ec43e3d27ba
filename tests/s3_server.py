"""Runs a command beside a server that speaks S3 on a free port, with an empty bucket `herringbone` in it.

    python s3_server.py COMMAND...

The command finds the server's address in HERRINGBONE_S3. Needs moto[server].
"""

import logging
import os
import subprocess
import sys
import urllib.request

from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").disabled = True
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"{host}:{port}"
authorization = "AWS4-HMAC-SHA256 Credential=any/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=any"
request = urllib.request.Request(f"http://{address}/herringbone", method="PUT", headers={"Authorization": authorization})
urllib.request.urlopen(request).close()
try:
    status = subprocess.run(sys.argv[1:], env={**os.environ, "HERRINGBONE_S3": address}, check=False).returncode
finally:
    server.stop()
sys.exit(status)
