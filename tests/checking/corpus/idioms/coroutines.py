"""asyncio: awaits, tasks, gathering, groups, timeouts and threads."""

import asyncio
from asyncio import create_task, gather

from penstock import flow

coroutines = flow("coroutines")


@coroutines.entrypoint
async def receive(order):
    await validate(order)
    task = asyncio.create_task(charge(order))
    await gather(reserve(order), label(order))
    await task
    await asyncio.wait_for(ship(order), timeout=5)


@coroutines.step(after="receive")
async def validate(order):
    async with asyncio.TaskGroup() as group:
        group.create_task(look_up(order))
        group.create_task(score(order), name="score")


@coroutines.step(after="validate")
async def look_up(order):
    return await asyncio.to_thread(read, order)


@coroutines.step(after="look_up")
def read(order):
    return order


@coroutines.step(after="validate")
async def score(order):
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, compute, order)


@coroutines.step(after="score")
def compute(order):
    return order


@coroutines.step(after="validate")
async def charge(order):
    waiting = [create_task(bill(part)) for part in order]
    for done in asyncio.as_completed(waiting):
        await done


@coroutines.step(after="charge")
async def bill(part):
    async for item in pages(part):
        print(item)


@coroutines.step(after="bill")
async def pages(part):
    yield part


@coroutines.step(after="validate")
async def reserve(order):
    asyncio.get_event_loop().call_soon(wake, order)


@coroutines.step(after="reserve")
def wake(order):
    return order


@coroutines.step(after="validate")
async def label(order):
    return order


@coroutines.step(after=["charge", "reserve"])
async def ship(order):
    async with asyncio.timeout(3):
        await asyncio.shield(notify(order))


@coroutines.step(after="ship")
async def notify(order):
    def later():
        return asyncio.run(label(order))

    await asyncio.to_thread(later)
