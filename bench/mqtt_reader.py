"""python -m bench.mqtt_reader PORT COUNT DATABASE: takes messages from a broker, each on the disk before it is acknowledged.

What a bridge delivers lies in the memory of the far broker. A reader that must not lose it stores it first, as our hub
does: whatever waits goes into PostgreSQL by one COPY and one commit, and then each message is acknowledged (QoS 1).
Prints a line once it listens, then the seconds from the first message to the last commit.
"""

from __future__ import annotations

import queue
import sys
import time
from typing import Any

import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

IN_FLIGHT = 60_000
LONGEST_S = 600.0


def main(port: str, count: str, database: str) -> None:
    """Take so many messages."""
    waiting: queue.SimpleQueue[mqtt.MQTTMessage] = queue.SimpleQueue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hub", clean_session=False, manual_ack=True)
    client.max_inflight_messages_set(IN_FLIGHT)
    client.on_message = lambda _client, _given, message: waiting.put(message)
    client.on_connect = _subscribe
    client.on_subscribe = lambda *_: print("ready", flush=True)
    with psycopg.connect(database) as conn:
        conn.execute("CREATE TABLE taken (body bytea NOT NULL)")
        conn.commit()
        client.connect("127.0.0.1", int(port))
        client.loop_start()
        print(_take(client, waiting, conn, int(count)), flush=True)
    client.loop_stop()


def _subscribe(client: mqtt.Client, *_: Any) -> None:
    client.subscribe("facts", qos=1)


def _take(
    client: mqtt.Client, waiting: queue.SimpleQueue[mqtt.MQTTMessage], conn: psycopg.Connection[Any], count: int
) -> float:
    taken, began = 0, 0.0
    while taken < count:
        batch = [waiting.get(timeout=LONGEST_S)]
        began = began or time.perf_counter()
        while not waiting.empty():
            batch.append(waiting.get())
        with conn.cursor() as cursor, cursor.copy("COPY taken FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["bytea"])
            for message in batch:
                copy.write_row((message.payload,))
        conn.commit()
        for message in batch:
            client.ack(message.mid, message.qos)
        taken += len(batch)
    return time.perf_counter() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
