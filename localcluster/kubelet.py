"""Runs the pods of all nodes on this machine, each under its own shim process, and reports how they fare.

Everything that matters is in the pods' folders and in the store, so a new kubelet adopts what an old one started.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcluster import containers, lifecycle, nodes, podprocess, podstatus
from localcluster.config import LocalClusterConfig
from localcluster.containers import ContainerWaits, PodFolder
from localcluster.events import Recorder
from localcluster.outcome import api_time, terminated_state
from localcluster.resources import CONFIG_MAPS, PODS, SECRETS
from localcluster.shim import write_json
from localcluster.store import Change, Key, Store, Stored, seconds
from localcluster.work_queue import Agenda

_DEADLINE = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


class Kubelet:
    def __init__(self, store: Store, recorder: Recorder, config: LocalClusterConfig, notify: Path) -> None:
        self.store, self.recorder, self.config, self.notify_path = store, recorder, config, notify
        self.agenda = Agenda()
        self._children: set[int] = set()
        self._keys: dict[str, Key] = {}  # uid → pod
        self._image_failures: dict[str, int] = {}
        self._spawned: set[str] = set()
        self._not_before: dict[str, float] = {}  # uid → when to try again what could not start
        (config.data / "pods").mkdir(parents=True, exist_ok=True)
        known = {pod.uid for pod in store.objects(PODS)}
        for pod in store.objects(PODS):
            self._file(pod)
        for folder in (config.data / "pods").iterdir():
            if folder.name not in known:
                self._discard(PodFolder(folder))

    def notice(self, change: Change) -> None:
        if change.resource is PODS:
            if change.type == "DELETED":
                for memory in (self._keys, self._not_before, self._image_failures):
                    memory.pop(change.new.uid, None)
                self._spawned.discard(change.new.uid)
                self._discard(self.folder(change.new))
            else:
                self._file(change.new)
        elif change.resource in (CONFIG_MAPS, SECRETS):
            for uid in list(self._not_before):
                self._not_before[uid] = 0.0
                self.told(uid)

    def _file(self, pod: Stored) -> None:
        if not pod.obj["spec"].get("nodeName"):
            return
        if podstatus.is_terminal(pod.obj):
            self._keys.pop(pod.uid, None)
        else:
            self._keys[pod.uid] = pod.key
        self.agenda.now(pod.key)

    def told(self, uid: str) -> None:
        """A shim says that something happened in its folder."""
        if key := self._keys.get(uid):
            self.agenda.now(key)

    def folder(self, pod: Stored) -> PodFolder:
        return PodFolder(self.config.data / "pods" / pod.uid)

    def step(self) -> None:
        self.agenda.each(self._look)

    def _look(self, key: Key) -> None:
        pod = self.store.find(PODS, key)
        if pod and pod.obj["spec"].get("nodeName"):
            self._sync(pod)

    def sweep(self) -> None:
        """Once a second: reaps shims, and looks at running pods in case one's shim was killed or its node lost."""
        for pid in list(self._children):
            try:
                done, _ = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                done = pid
            if done:
                self._children.discard(pid)
        for key in self._keys.values():
            self.agenda.now(key)

    def _sync(self, pod: Stored) -> None:
        folder = self.folder(pod)
        if not nodes.heartbeat(self.config, pod.obj["spec"]["nodeName"]).exists():
            podprocess.kill(folder)
            return
        if podstatus.is_terminal(pod.obj):
            self._finish_deletion(pod)
            return
        outcome = podprocess.read(folder.path / "exit.json")
        if outcome is not None:
            self._report_end(pod, folder, outcome)
        elif (folder.path / "lock").exists():
            self._attend(pod, folder)
        elif "deletionTimestamp" in pod.meta:
            self._never_started(pod, folder)
        elif self._past_deadline(pod):
            self._never_started(pod, folder, *_DEADLINE)
        else:
            self._start(pod, folder)

    # starting

    def _start(self, pod: Stored, folder: PodFolder) -> None:
        if pod.uid in self._spawned or time.monotonic() < self._not_before.get(pod.uid, 0.0):
            return
        if not pod.obj["status"].get("containerStatuses"):
            pod = self._put(pod, lambda obj: podstatus.waiting(obj, "ContainerCreating", sandbox=False))
            self._watch_deadline(pod)
            if self.config.timing.start:
                self.agenda.later(pod.key, self.config.timing.start)
                return
        created = seconds(pod.obj["status"]["startTime"])
        if self.config.timing.start and time.time() < created + self.config.timing.start:
            return
        if (folder.path / "spec.json").exists():  # spawned by a kubelet that died before the shim took its lock
            self._spawn(pod, folder)
            return
        try:
            image = containers.find_image(self.config, pod.obj["spec"]["containers"][0]["image"])
            spec = containers.prepare(pod.obj, image, folder, self.config, self._lookup(pod), self.notify_path)
        except ContainerWaits as wait:
            self._wait(pod, wait)
            return
        name = pod.obj["spec"]["containers"][0]["image"]
        text = f'Container image "{name}" already present on machine and can be accessed by the pod'
        self._event(pod, "Pulled", text)
        folder.termination_log.touch()
        write_json(folder.path / "spec.json", spec)
        self._spawn(pod, folder)
        self._event(pod, "Created", "Container created")

    def _spawn(self, pod: Stored, folder: PodFolder) -> None:
        self._spawned.add(pod.uid)
        self._children.add(podprocess.spawn(folder))

    def _lookup(self, pod: Stored) -> containers.Lookup:
        def look_up(kind: str, name: str) -> dict[str, str] | None:
            found = self.store.find(CONFIG_MAPS if kind == "configmap" else SECRETS, (pod.key[0], name))
            if found is None:
                return None
            return found.obj.get("data", {}) if kind == "configmap" else containers.decoded(found.obj)

        return look_up

    def _wait(self, pod: Stored, wait: ContainerWaits) -> None:
        reason, message = wait.reason, wait.message
        image = pod.obj["spec"]["containers"][0]["image"]
        if reason == "ContainerCreating":
            self._event(pod, wait.event, message or "", warning=True, container=False)
            self._try_again(pod, self.config.timing.image_retry)
            return
        if reason == "ErrImagePull":
            failures = self._image_failures[pod.uid] = self._image_failures.get(pod.uid, 0) + 1
            if failures % 2:
                self._event(pod, "Pulling", f'Pulling image "{image}"')
                self._event(pod, "Failed", f'Failed to pull image "{image}": {message}', warning=True)
            else:
                self._event(pod, "BackOff", f'Back-off pulling image "{image}"')
                reason, message = "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {message}'
            self._event(pod, "Failed", f"Error: {reason}", warning=True)
            delay = self.config.timing.image_retry * 2 ** (failures // 2)
            self._try_again(pod, min(delay, self.config.timing.image_retry_max))
        else:
            if reason == "InvalidImageName":
                self._event(pod, wait.event, message or "", warning=True)
                self._event(pod, "Failed", f"Error: {reason}", warning=True)
            else:
                text = f'Container image "{image}" already present on machine and can be accessed by the pod'
                self._event(pod, "Pulled", text)
                self._event(pod, wait.event, f"Error: {message}", warning=True)
            self._try_again(pod, self.config.timing.image_retry_max)
        self._put(pod, lambda obj: podstatus.waiting(obj, reason, message, sandbox=True))

    def _try_again(self, pod: Stored, delay: float) -> None:
        self._not_before[pod.uid] = time.monotonic() + delay
        self.agenda.later(pod.key, delay)

    # running

    def _attend(self, pod: Stored, folder: PodFolder) -> None:
        started = podprocess.read(folder.path / "started.json")
        if started and pod.obj["status"]["phase"] == "Pending":
            began = api_time(started["started_at"])
            self._event(pod, "Started", "Container started")
            pod = self._put(pod, lambda obj: podstatus.running(obj, began))
            self._watch_deadline(pod)
        if podprocess.died(folder):
            lost = {"exit_code": 137, "lost": True, "finished_at": time.time()}
            self._report_end(pod, folder, {"started_at": (started or lost).get("started_at", time.time()), **lost})
        elif "deletionTimestamp" in pod.meta:
            self._stop(pod, folder, seconds(pod.meta["deletionTimestamp"]))
        elif self._past_deadline(pod):
            grace = pod.obj["spec"].get("terminationGracePeriodSeconds", 30)
            if self._stop(pod, folder, time.time() + grace):
                self._event(pod, *_DEADLINE, container=False)

    def _stop(self, pod: Stored, folder: PodFolder, kill_at: float) -> bool:
        if not podprocess.ask_to_stop(folder, kill_at):
            return False
        self._event(pod, "Killing", f"Stopping container {pod.obj['spec']['containers'][0]['name']}")
        return True

    def _watch_deadline(self, pod: Stored) -> None:
        due = _deadline(pod)
        if due is not None:
            self.agenda.later(pod.key, max(due - time.time(), 0.0))

    def _past_deadline(self, pod: Stored) -> bool:
        due = _deadline(pod)
        return due is not None and time.time() >= due

    # ending

    def _report_end(self, pod: Stored, folder: PodFolder, outcome: dict[str, Any]) -> None:
        left = outcome["finished_at"] + self.config.timing.finish - time.time()
        if left > 0:
            self.agenda.later(pod.key, left)
            return
        if pod.obj["status"]["phase"] == "Pending" and "start_error" not in outcome:
            self._event(pod, "Started", "Container started")
        why = ("", "")
        if evicted := outcome.get("evicted"):
            why = ("Evicted", evicted)
            self._event(pod, "Evicted", evicted, warning=True, container=False)
            self._event(pod, "Killing", f"Stopping container {pod.obj['spec']['containers'][0]['name']}")
        elif self._past_deadline(pod) and (folder.path / "stop.json").exists() and "deletionTimestamp" not in pod.meta:
            why = _DEADLINE
        state = terminated_state(pod.obj, folder, outcome)
        pod = self._put(pod, lambda obj: podstatus.terminated(obj, state, reason=why[0], message=why[1]))
        self._finish_deletion(pod)

    def _never_started(self, pod: Stored, folder: PodFolder, reason: str = "", message: str = "") -> None:
        """Ended before its container started: it is reported as failed, and no shim may start it any more."""
        if not podprocess.forbid_start(folder):
            return

        def end(obj: dict[str, Any]) -> None:
            obj["status"] |= {"phase": "Failed"} | ({"message": message, "reason": reason} if reason else {})
            podstatus.set_condition(obj, "Ready", "False", "PodFailed")

        self._finish_deletion(self._put(pod, end))

    def _finish_deletion(self, pod: Stored) -> None:
        if "deletionTimestamp" in pod.meta and pod.meta.get("deletionGracePeriodSeconds") != 0:
            lifecycle.delete_pod(self.store, pod, 0)

    def _discard(self, folder: PodFolder) -> None:
        podprocess.kill(folder)
        shutil.rmtree(folder.path, ignore_errors=True)

    def stop_all(self) -> None:
        """Ends every pod's processes: the machine is switched off."""
        for uid in self._keys:
            podprocess.kill(PodFolder(self.config.data / "pods" / uid))

    # helpers

    def _put(self, pod: Stored, change: Callable[[dict[str, Any]], None]) -> Stored:
        obj = pod.clone()
        change(obj)
        return self.store.update(PODS, obj)

    def _event(self, pod: Stored, reason: str, text: str, *, warning: bool = False, container: bool = True) -> None:
        name = pod.obj["spec"]["containers"][0]["name"] if container else ""
        host = pod.obj["spec"]["nodeName"]
        self.recorder.record(pod, reason, text, by="kubelet", warning=warning, host=host, container=name)


def _deadline(pod: Stored) -> float | None:
    """Unix time. A second later than computed: the start is known in whole seconds, and no pod may end too early."""
    deadline, start = pod.obj["spec"].get("activeDeadlineSeconds"), pod.obj["status"].get("startTime")
    return None if deadline is None or start is None else seconds(start) + deadline + 1.0
