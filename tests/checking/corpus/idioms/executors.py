"""Pools, threads and timers."""

import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from multiprocessing import Pool
from threading import Thread

from penstock import bind_flow, flow

executors = flow("executors")


@executors.entrypoint
def receive(order):
    with ThreadPoolExecutor() as pool:
        first = pool.submit(validate, order)
        first.result()
        list(pool.map(charge, [order]))
    audit(order)


@executors.step(after="receive")
def validate(order):
    with ProcessPoolExecutor() as pool:
        futures = {pool.submit(score, part): part for part in order}
        for future in as_completed(futures):
            print(future.result())


@executors.step(after="validate")
def score(part):
    thread = Thread(target=measure, args=(part,))
    thread.start()
    thread.join()


@executors.step(after="score")
def measure(part):
    return part


@executors.step(after="validate")
def charge(order):
    with Pool(2) as pool:
        pool.apply_async(bill, (order,))
        pool.starmap(book, [(order,)])


@executors.step(after="charge")
def bill(order):
    threading.Timer(3, remind, [order]).start()


@executors.step(after="bill")
def remind(order):
    return order


@executors.step(after="charge")
def book(order):
    send(order)


@executors.step(after="book")
def send(order):
    """Be called like what a pool or a generator has, and be a plain call."""
    return order


@executors.step(after="receive")
def audit(order):
    ThreadPoolExecutor().submit(bind_flow(archive), order).result()


@executors.step(after="audit")
def archive(order):
    def gen():
        got = yield
        print(got)

    running = gen()
    running.send(None)  # no step, though one has this name
