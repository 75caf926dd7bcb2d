"""Tasks and their threads: so many at work at once, the others in a queue, each ended once."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from functools import partial
from uuid import uuid4

from pygent.cancellation import CancelToken
from pygent.errors import Cancelled, TaskError
from pygent.events import TaskStarted, TaskState, TaskUpdated
from pygent.tasks import running as life
from pygent.tasks.reports import Reports, report
from pygent.tasks.task import Order, Task

log = logging.getLogger(__name__)


class TaskPool:
    """The part of a ``TaskManager`` that knows which task is at work, which waits, and which is over."""

    def __init__(self, around: life.Surroundings, max_tasks: int) -> None:
        self.max_tasks = max_tasks
        self.tasks: dict[str, Task] = {}
        self.reports = Reports()
        self._around = around
        self._lock = threading.Lock()
        self._queue: deque[tuple[Task, str]] = deque()

    def running(self) -> list[Task]:
        """The tasks that have not ended, save those that do nothing before somebody answers them."""
        with self._lock:
            return [task for task in self.tasks.values() if task.running and task.question is None]

    def cancel(self, task_id: str) -> bool:
        """Tell a task to end; answers False where it is over or unknown."""
        task = self.tasks.get(task_id)
        if task is None or not task.running:
            return False
        task.cancel.cancel("the task was stopped")
        self._end_idle(task)
        return True

    def wait(self, task_id: str, timeout: float | None = None) -> bool:
        """Wait at most ``timeout`` seconds until a task has ended, or cannot go on before somebody answers it.

        Answers whether that is so. Raises ``TaskError`` for an unknown id.
        """
        task = self._known(task_id)
        if not task.resting.wait(timeout):
            return False
        if task.thread is not None and task.thread is not threading.current_thread():
            task.thread.join(timeout)
        return True

    def stop_all(self, timeout: float = 5.0) -> None:
        """End all tasks and wait at most ``timeout`` seconds for them."""
        with self._lock:
            open_tasks = [task for task in self.tasks.values() if task.running]
        for task in open_tasks:
            task.cancel.cancel("the session ended")
        for task in open_tasks:
            self._end_idle(task)
        limit = time.monotonic() + timeout
        for task in open_tasks:
            task.resting.wait(max(0.0, limit - time.monotonic()))
            if task.thread is not None:
                task.thread.join(max(0.0, limit - time.monotonic()))

    def _known(self, task_id: str) -> Task:
        task = self.tasks.get(task_id)
        if task is None:
            there = ", ".join(f"{one.id} ({one.persona.name}, {one.status})" for one in self.tasks.values())
            raise TaskError(f"Task {task_id} not found; there {f'are: {there}' if there else 'is none'}")
        return task

    def _start(self, order: Order, *, queue: bool, cancel: CancelToken) -> Task:
        """Start a task, or let it wait for its turn; ``cancel`` ends the preparing.

        Raises ``TaskError`` and what ``prepare`` raises.
        """
        task = Task(
            uuid4().hex[:8],
            order.persona,
            order.prompt,
            order=order,
            workspace=order.workspace,
            budget=order.budget,
            retry_of=order.retry_of,
        )
        parent = self._around.parent
        if parent is not None:
            task.cancel = parent.wiring.cancel.child()
        with self._lock:
            full = bool(self._queue and queue) or self._at_work() >= self.max_tasks
            if full and not queue:
                raise TaskError(f"max {self.max_tasks} tasks run at once; wait for one to end")
            if full:
                task.state = task.status = "queued"
            self.tasks[task.id] = task
        if full:
            self._tell_started(task)
            self._enqueue(task, task.prompt)
            return task
        try:
            with cancel.on_cancel(partial(task.cancel.cancel, "the call was interrupted")):
                life.prepare(task, order, self._around)
            cancel.check()
        except BaseException:
            with self._lock:
                del self.tasks[task.id]
            life.discard(task)
            self._advance()
            raise
        self._tell_started(task)
        life.tell_left_out(task, self._around)
        self._launch(task, task.prompt)
        return task

    def _go_on(self, task: Task, answer: str) -> bool:
        """Let a task that waits for an answer go on with it, when its turn comes. Answers whether it waited."""
        with self._lock:
            if task.question is None:
                return False
            task.question = None
            task.resting.clear()
            task.state = task.status = "queued"
        self.reports.drop(task.id)
        self._tell_state(task)
        self._enqueue(task, answer)
        return True

    def _answer(self, task: Task, text: str) -> bool:
        """Answer what the task asks the person in the queue of approvals. Answers whether it asks."""
        approvals = getattr(getattr(task.agent, "wiring", None), "approvals", None)
        broker = getattr(approvals, "broker", None)
        if broker is None:
            return False
        request_id = broker.asked_by(task.id, "continue")
        return request_id is not None and bool(broker.resolve(request_id, "allow_once", text))

    def _at_work(self) -> int:
        return sum(task.at_work for task in self.tasks.values())

    def _enqueue(self, task: Task, prompt: str) -> None:
        with self._lock:
            self._queue.append((task, prompt))
        self._advance()
        if task.cancel.cancelled:
            self._end_idle(task)

    def _advance(self) -> None:
        """Give free places to those that wait."""
        while True:
            with self._lock:
                if not self._queue or self._at_work() >= self.max_tasks:
                    return
                task, prompt = self._queue.popleft()
                task.state = task.status = "running"
            self._launch(task, prompt, waited=True)

    def _launch(self, task: Task, prompt: str, *, waited: bool = False) -> None:
        thread = threading.Thread(
            target=self._work, args=(task, prompt, waited), name=f"pygent-task-{task.id}", daemon=True
        )
        thread.start()
        task.thread = thread  # one that can be joined

    def _work(self, task: Task, prompt: str, waited: bool) -> None:
        state: TaskState = "failed"
        status = "error: it ended without a result"
        order = task.order
        assert order is not None
        rests = False
        try:
            if waited:
                self._tell_state(task)
            if task.agent is None:
                task.started_at = time.time()
                life.prepare(task, order, self._around)
                life.tell_left_out(task, self._around)
            while True:
                state, status = life.work(task, order, self._around, prompt)
                rests = state == "waiting" and self._rest(task)
                late = task.inbox.take() if rests else []
                if not late:
                    break
                if not self._wake(task):  # somebody else went on with it, or ended it
                    for text in late:
                        task.inbox.put(text)
                    break
                prompt, rests = "\n\n".join(late), False
        except Cancelled:
            state, status = "cancelled", "cancelled"
        except Exception as error:  # the boundary of the task's thread: the parent reads it as the status
            state, status = "failed", f"error: {error}"
        finally:
            if not rests:
                ended = state != "waiting"  # it was ended in the moment in which it asked
                self._over(task, state if ended else "cancelled", status if ended else "cancelled")
            elif task.cancel.cancelled:
                self._end_idle(task)
            self._advance()

    def _rest(self, task: Task) -> bool:
        """Let a task wait for an answer that nobody here can give now. False where it will not get one."""
        if task.cancel.cancelled:
            return False
        life.close_sandbox(task)
        task.state = task.status = "waiting"
        self._tell_state(task)
        asked = task.asked or "it did not say for what"
        self.reports.put(task.id, report(task, asked))
        with self._lock:
            task.question = asked
            task.resting.set()
        self.reports.wake()
        return True

    def _wake(self, task: Task) -> bool:
        with self._lock:
            if task.question is None:
                return False
            task.question = None
            task.resting.clear()
            task.state = task.status = "running"
        self.reports.drop(task.id)
        self._tell_state(task)
        return True

    def _end_idle(self, task: Task) -> None:
        """End a task that is on no thread, and so cannot end by itself."""
        with self._lock:
            waits = task.question is not None
            queued = next((item for item in self._queue if item[0] is task), None)
            if queued is not None:
                self._queue.remove(queued)
            task.question = None
        if waits or queued is not None:
            self._over(task, "cancelled", "cancelled")

    def _over(self, task: Task, state: TaskState, status: str) -> None:
        try:
            life.finish(task, self._around, state, status)
        finally:
            self.reports.put(task.id, report(task, siblings=list(self.tasks.values())))
            task.resting.set()
            self.reports.wake()

    def _tell_started(self, task: Task) -> None:
        self._around.emit(
            TaskStarted(
                task_id=task.id,
                persona=task.persona.name,
                prompt=task.prompt,
                state=task.state,
                workspace=task.workspace,
                retry_of=task.retry_of,
            )
        )

    def _tell_state(self, task: Task) -> None:
        self._around.emit(TaskUpdated(task_id=task.id, status=task.status, state=task.state))
