"""The readiness question of servers that speak HTTP."""

import httpx


def lacking(*urls: str) -> str:
    """Empty when every address answers 200; else the first that does not, and how."""
    with httpx.Client(timeout=2.0, trust_env=False) as client:  # No proxy stands between us and 127.0.0.1.
        for url in urls:
            try:
                answer = client.get(url)
            except httpx.HTTPError as error:
                return f"answer of {url} ({type(error).__name__})"
            if answer.status_code != httpx.codes.OK:
                return f"answer of {url} (HTTP {answer.status_code})"
    return ""
