"""What Home Assistant does at a broker, with its own MQTT library: will and birth message, discovery, and the entities'
states by their templates.

Everything is told as one JSON line each: `connected`, `subscribed` and `published` with the broker's reason code, every
message, `entity` with its state, and `disconnected`. `--also FILTER` subscribes to more and `--try TOPIC` publishes,
before the line `ready`.
"""

import argparse
import json
import sys

import jinja2
import paho.mqtt.client as mqtt

STATUS = "homeassistant/status"
DISCOVERY = ("homeassistant/+/+/config", "homeassistant/+/+/+/config")


def say(**members):
    sys.stdout.write(json.dumps(members) + "\n")
    sys.stdout.flush()


class Observer:
    def __init__(self, options):
        self.options = options
        self.asked = {}
        self.entities = {}
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="anything", protocol=mqtt.MQTTv5)
        with open(options.password_file, encoding="utf-8") as file:
            self.client.username_pw_set(options.user, file.read())
        self.client.tls_set(ca_certs=options.ca_file)
        self.client.reconnect_delay_set(1, 1)
        if not options.without_will:
            self.client.will_set(STATUS, "offline", qos=1)
        self.client.on_connect = self.connected
        self.client.on_disconnect = lambda client, data, flags, reason, properties: say(disconnected=reason.value)
        self.client.on_subscribe = self.subscribed
        self.client.on_publish = self.published
        self.client.on_message = self.received

    def run(self):
        self.client.connect(self.options.host, self.options.port)
        self.client.loop_forever(retry_first_connection=True)

    def connected(self, client, data, flags, reason, properties):
        say(connected=reason.value)
        if reason.is_failure:
            return
        self.asked.clear()
        for topic in self.options.attempt:
            self.publish(topic, "attempt")
        for topic_filter in [*DISCOVERY, *self.options.also]:
            self.subscribe(topic_filter)
        if not self.options.without_will:
            self.publish(STATUS, "online")

    def subscribe(self, topic_filter):
        self.asked[self.client.subscribe(topic_filter, qos=1)[1]] = ("subscribed", topic_filter)

    def publish(self, topic, payload):
        self.asked[self.client.publish(topic, payload, qos=1).mid] = ("published", topic)

    def answered(self, number, reason):
        verb, topic = self.asked.pop(number)
        say(**{verb: topic, "reason": reason.value})
        if not self.asked:
            say(ready=True)

    def subscribed(self, client, data, number, reasons, properties):
        self.answered(number, reasons[0])

    def published(self, client, data, number, reason, properties):
        self.answered(number, reason)

    def received(self, client, data, message):
        try:
            payload = json.loads(message.payload)
        except ValueError:
            payload = message.payload.decode("utf-8", "replace")
        say(topic=message.topic, retained=message.retain, payload=payload)
        if message.topic.startswith("homeassistant/") and message.topic.endswith("/config"):
            self.entities[payload["state_topic"]] = payload
            self.subscribe(payload["state_topic"])
        elif message.topic in self.entities:
            entity = self.entities[message.topic]
            state = jinja2.Template(entity["value_template"]).render(value_json=payload, value=str(payload))
            say(entity=f"{entity['device']['name']} {entity['name']}", state=state)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--host", "--user", "--password-file", "--ca-file"):
        parser.add_argument(name, required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--also", action="append", default=[], metavar="FILTER")
    parser.add_argument("--try", action="append", default=[], dest="attempt", metavar="TOPIC")
    parser.add_argument("--without-will", action="store_true", help="say nothing of being there")
    Observer(parser.parse_args()).run()


if __name__ == "__main__":
    main()
