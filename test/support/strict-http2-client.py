"""A strict HTTP/2 client: python3-h2 raises an error for every frame that the router must not send (RFC 9113).

Arguments: port, seed, number of requests. Opens streams with random bodies, in random order with changes of settings,
windows, PINGs and resets; reads cut anywhere. Each response must be the request's body. Prints the numbers of responses and
of streams that it has reset.
"""
import random
import select
import socket
import sys

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated, DataReceived, ResponseReceived, SettingsAcknowledged, StreamEnded, StreamReset,
)
from h2.settings import SettingCodes

PORT, SEED, REQUESTS = (int(text) for text in sys.argv[1:4])
MOST_OPEN = 20
# The router allows 50 at once, and 200 PINGs: this loop may turn as often as it likes.
MOST_CHANGES = 40
MOST_PINGS = 150
# Not smaller than before: python3-h2 takes an empty frame in a window below 0 for an error, and may not open it again.
WINDOW_GROWTH = (0, 1_000, 100_000)

rand = random.Random(SEED)
peer = socket.create_connection(('127.0.0.1', PORT))
peer.settimeout(60)
h2 = H2Connection(H2Configuration(client_side=True, header_encoding='utf-8'))
h2.initiate_connection()

sent = {}  # By stream: the body, and how much of it was sent.
received = {}  # By stream: the status and the bytes so far.
unread = []  # Streams and sizes of DATA whose window was not given back yet.
opened = done = resets = changes = pings = 0
window = 65_535
# python3-h2 takes an acknowledgement for one of all changes that are under way.
is_changing = True


def open_stream():
    global opened
    stream = h2.get_next_available_stream_id()
    body = rand.randbytes(rand.choice((0, 1, 50, 5_000, 70_000)))
    fields = [(':method', 'POST'), (':scheme', 'http'), (':path', '/echo'), (':authority', 'site.test')]
    fields += [('x-a', rand.choice('abc') * rand.choice((1, 10, 1_000)))]
    if rand.random() < 0.5:
        fields.append(('content-length', str(len(body))))
    if rand.random() < 0.3:
        fields.append(('priority', rand.choice(('u=1', 'u=5, i', 'i'))))
    h2.send_headers(stream, fields, end_stream=len(body) == 0)
    sent[stream] = [body, 0]
    received[stream] = [None, bytearray()]
    opened += 1


def send_some(stream):
    body, at = sent[stream]
    if at == len(body):
        return False
    room = min(h2.local_flow_control_window(stream), h2.max_outbound_frame_size)
    piece = body[at:at + min(room, rand.choice((1, 1_000, 16_384)))]
    if not piece:
        return False
    padding = rand.choice((None, None, 10)) if room > len(piece) + 11 else None
    h2.send_data(stream, piece, end_stream=at + len(piece) == len(body), pad_length=padding)
    sent[stream][1] += len(piece)
    return True


def forget(stream):
    del sent[stream]
    del received[stream]


def change_settings():
    global changes, is_changing, window
    if is_changing or changes == MOST_CHANGES:
        return
    is_changing = True
    changes += 1
    window += rand.choice(WINDOW_GROWTH)
    h2.update_settings(rand.choice((
        {SettingCodes.INITIAL_WINDOW_SIZE: window},
        {SettingCodes.HEADER_TABLE_SIZE: rand.choice((0, 100, 4_096, 65_536))},
        {SettingCodes.MAX_FRAME_SIZE: rand.choice((16_384, 20_000, 100_000))},
    )))


def change_something():
    global resets, pings
    kind = rand.random()
    if kind < 0.05:
        if pings < MOST_PINGS:
            h2.ping(rand.randbytes(8))
        pings += 1
    elif kind < 0.5:
        change_settings()
    elif kind < 0.55 and sent and resets < REQUESTS // 10:
        stream = rand.choice(list(sent))
        h2.reset_stream(stream, ErrorCodes.CANCEL)
        forget(stream)
        resets += 1


def acknowledge():
    while unread and rand.random() < 0.7:
        stream, size = unread.pop(rand.randrange(len(unread)))
        h2.acknowledge_received_data(size, stream)


def take(event):
    global done, is_changing
    if isinstance(event, SettingsAcknowledged):
        is_changing = False
    if isinstance(event, ConnectionTerminated):
        raise SystemExit(f'GOAWAY {event.error_code} {event.additional_data}')
    stream = getattr(event, 'stream_id', None)
    if isinstance(event, DataReceived) and event.flow_controlled_length > 0:
        unread.append((stream, event.flow_controlled_length))
    if stream not in received:
        return
    if isinstance(event, ResponseReceived):
        received[stream][0] = dict(event.headers)[':status']
    elif isinstance(event, DataReceived):
        received[stream][1] += event.data
    elif isinstance(event, StreamReset):
        raise SystemExit(f'stream {stream} was reset: {event.error_code}')
    elif isinstance(event, StreamEnded):
        status, body = received[stream]
        if status != '200' or body != sent[stream][0]:
            raise SystemExit(f'stream {stream}: {status}, {len(body)} of {len(sent[stream][0])} bytes')
        forget(stream)
        done += 1


while done + resets < REQUESTS or sent:
    while opened < REQUESTS and len(sent) < MOST_OPEN and rand.random() < 0.5:
        open_stream()
    streams = list(sent)
    rand.shuffle(streams)
    is_sending = any([send_some(stream) for stream in streams])
    if rand.random() < 0.1:
        change_something()
    acknowledge()
    peer.sendall(h2.data_to_send())
    is_readable = select.select([peer], [], [], 0 if is_sending or unread or opened < REQUESTS else 60)[0]
    if is_readable:
        data = peer.recv(rand.choice((1, 100, 10_000, 100_000)))
        if not data:
            raise SystemExit('the router closed the connection')
        for event in h2.receive_data(data):
            take(event)

h2.close_connection()
peer.sendall(h2.data_to_send())
print(done, resets)
