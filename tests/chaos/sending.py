"""The sender of webhooks dies at the n-th step of its work, for n = 1, 2, 3 … until none comes, then PostgreSQL does:
every notice arrives, signed, and is known to have arrived."""

from collections import Counter
from collections.abc import Iterator

from standardwebhooks import Webhook

from simulations.models import Notice
from simulations.webhooks.models import Delivery, Endpoint
from tenants.models import Tenant
from tests.chaos import world
from tests.chaos.crash_points import CrashPoints
from tests.chaos.stage import Stage
from tests.simulations.webhooks.conftest import receiving

TENANT = "told"
NOTICES = 3  # in each life; two may be under way at once
VICTIMS = ("sender", "postgres")


class SendingPlay:
    def __init__(self, stage: Stage, *, first: int, stride: int) -> None:
        self.stage, self.first, self.stride = stage, first, stride
        self.told: dict[str, world.Told] = {}
        self.limits: dict[str, list[tuple[float, dict[str, int]]]] = {}
        self.lives = 0
        self.problems: list[str] = []
        self.arrived: Counter[str] = Counter()
        self.crashes = CrashPoints(stage, first=first, stride=stride, lost_every=0)

    def run(self) -> None:
        tenant = world.make_tenant(TENANT)
        with receiving() as receiver:
            endpoint = Endpoint.objects.create(tenant=tenant, url=receiver.url)
            for victim in VICTIMS:
                at = self.first
                goes_on = True
                while goes_on:
                    goes_on = self.life(tenant, at, victim)
                    self.verify(endpoint, receiver.got)
                    at += self.stride
            self.problems += self.check(endpoint)

    def life(self, tenant: Tenant, at: int, victim: str) -> bool:
        """Whether the victim died on the way; another sender then does what is left."""
        self.lives += 1
        Notice.objects.bulk_create(
            Notice(tenant=tenant, kind=Notice.Kind.JOB_FAILED, data={"life": self.lives, "number": number})
            for number in range(NOTICES)
        )
        pid = () if victim == "sender" else (victim, self.stage.pid_of(victim))
        died = self.crashes.part("sending", at, *pid)[1]
        if died and victim != "sender":
            self.stage.await_death(victim)
            self.stage.revive(victim)
            world.forget_connections()
        if died:
            self.crashes.part("sending", 0)
        return died

    def verify(self, endpoint: Endpoint, got: list[tuple[dict[str, str], bytes]]) -> None:
        """At once, as receivers do: a signature is good for five minutes."""
        while got:
            headers, body = got.pop()
            Webhook(endpoint.secret).verify(body, headers)  # raises
            self.arrived[headers["webhook-id"]] += 1

    def check(self, endpoint: Endpoint) -> Iterator[str]:
        for notice in Notice.objects.filter(tenant=endpoint.tenant_id):
            if not self.arrived[f"msg_{notice.pk.hex}"]:
                yield f"notice {notice.pk} {notice.data} did not arrive"
        if left := Delivery.objects.exclude(state=Delivery.State.DELIVERED).count():
            yield f"{left} deliveries are not known to have arrived"
