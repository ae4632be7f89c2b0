"""An S3-compatible bucket with object lock: `s3+https://KEY:SECRET@host/bucket/prefix?region=…&days=3650`.

One PUT per checkpoint, signed with AWS Signature Version 4, retained in COMPLIANCE mode: nobody can delete it before
its day, not the bucket's owner either.
"""

import base64
import hashlib
import hmac
import http.client
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, parse_qs, quote, unquote


class S3Store:
    def __init__(self, url: SplitResult, seconds: float) -> None:
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        self._region, self._days = query.get("region", "us-east-1"), int(query.get("days", "3650"))
        self._secure, self._seconds = url.scheme == "s3+https", seconds
        self._host, self._path = url.netloc.rpartition("@")[2], url.path.rstrip("/")
        self._key, self._secret = unquote(url.username or ""), unquote(url.password or "")
        self.name = f"{url.scheme}://{self._host}{self._path}"

    def put(self, number: int, line: str) -> None:
        body, moment = line.encode() + b"\n", datetime.now(UTC)
        path = quote(f"{self._path}/{number:012}.json")
        until = (moment + timedelta(days=self._days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        headers = {
            "content-md5": base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode(),
            "host": self._host,
            "if-none-match": "*",  # never over another one
            "x-amz-object-lock-mode": "COMPLIANCE",
            "x-amz-object-lock-retain-until-date": until,
        }
        signed = authorized(path, headers, body, moment, self._region, self._key, self._secret)
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, timeout=self._seconds)
        try:
            connection.request("PUT", path, body, signed)
            status = connection.getresponse().status
        except http.client.HTTPException as error:
            raise OSError(f"the bucket's answer is no HTTP: {type(error).__name__}") from error
        finally:
            connection.close()
        if status not in (200, 412):  # 412: it has this one
            raise OSError(f"the bucket answered {status}")

    def state(self) -> str:
        return f"object lock, {self._days} days"


def authorized(
    path: str, headers: dict[str, str], body: bytes, moment: datetime, region: str, key: str, secret: str
) -> dict[str, str]:
    """The headers of a PUT with its signature (AWS Signature Version 4, service s3); names are lower-case."""
    stamp, day = moment.strftime("%Y%m%dT%H%M%SZ"), moment.strftime("%Y%m%d")
    content = hashlib.sha256(body).hexdigest()
    headers = {**headers, "x-amz-content-sha256": content, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    request = f"PUT\n{path}\n\n{listed}\n{names}\n{content}"
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    derived = b"AWS4" + secret.encode()
    for part in (day, region, "s3", "aws4_request"):
        derived = hmac.new(derived, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()
    credential = f"AWS4-HMAC-SHA256 Credential={key}/{scope},SignedHeaders={names},Signature={signature}"
    return {**headers, "authorization": credential}
