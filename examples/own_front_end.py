"""A front end of your own: hold a `Session`, read its events, answer its approvals.

Run it with `python examples/own_front_end.py`. The full-screen application and headless mode are made of the same
parts. The demo's scripted model plays the other side, so that the example needs no server.
"""

import queue

from pygent import Session, events, settings


def main() -> None:
    arrived: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    session = Session(settings.load(options={"use_docker": False}), demo=True)
    session.subscribe(arrived.put)  # called on the session's threads: hand over, do not work here
    session.open()
    session.set_permission_mode("ask")
    session.submit("Show me what you can do.")
    while True:
        match arrived.get():
            case events.MessageDelta(text=text):
                print(text, end="", flush=True)
            case events.ApprovalRequested(request_id=request_id, summary=summary):
                print(f"\n[allowed once: {summary}]")
                session.resolve(request_id, "allow_once")
            case events.ToolFinished(status=status, output=output):
                print(f"\n[{status}] {output.strip()[:100]}")
            case events.RunFinished(agent_id=events.MAIN, reason=reason):
                print(f"\n{reason}")
                break
    session.close()


if __name__ == "__main__":
    main()
