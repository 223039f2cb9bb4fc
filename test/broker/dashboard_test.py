"""The dashboard in a real browser: what it shows, what it does, and what it must never do with names and payloads."""

import os
import shutil
import tempfile
import unittest

from delivery import Topic, ids
from harness import DEADLINE, BrokerCase, wait_until

try:
    from selenium import webdriver
    from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError as missing:
    raise unittest.SkipTest("Selenium is not installed (Debian: python3-selenium)") from missing

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if not BROWSER or not DRIVER:
    raise unittest.SkipTest("Chromium is not installed (Debian: chromium, chromium-driver)")

# No name of a host but ours is ever looked up.
BROWSER_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
                 "--window-size=1280,900", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--disable-extensions",
                 "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
LONG = 600_000
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def open_browser(folder):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*BROWSER_FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # The sanitizers' settings are for the broker, not for the browser.
    env = {name: value for name, value in os.environ.items() if not name.endswith("SAN_OPTIONS")}
    service = Service(DRIVER, env=env)
    return webdriver.Chrome(service=service, options=options)


class DashboardCase(BrokerCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="mqlite-browser-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.browser = open_browser(folder.name)
        cls.addClassCleanup(cls.browser.quit)
        cls.browser.set_script_timeout(DEADLINE)

    def setUp(self):
        self.broker = self.start_broker()
        self.addCleanup(self.browser.get, "about:blank")  # before the broker ends: no page asks one that is gone

    def tearDown(self):
        messages = [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        self.assertEqual([message for message in messages if not self.is_expected(message)], [])
        self.assertIsNone(self.browser.execute_script("return window.hacked ?? null"))

    def is_expected(self, message):
        """Whether the browser may say this: answers that refuse something are logged as well."""
        return message.startswith(f"http://127.0.0.1:{self.broker.port}/v1/")

    def open(self, place=""):
        self.browser.get("about:blank")
        self.browser.get(f"http://127.0.0.1:{self.broker.port}/{place}")
        wait_until(lambda: self.text("#facts"), "the page shows the broker")

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """The text of what is seen there, empty when there is nothing."""
        return self.browser.execute_script(
            "return [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility())"
            ".map((e) => e.innerText).join('\\n')", selector)

    def wait_for_text(self, selector, *texts):
        """Waits until all texts are seen there."""
        wait_until(lambda: all(text in self.text(selector) for text in texts), f"{selector} shows {texts}")

    def button(self, text, within="body"):
        """The button whose text or label this is; it may be drawn anew while it is looked for."""
        def look():
            for found in self.browser.find_elements(By.CSS_SELECTOR, f"{within} button"):
                try:
                    if found.is_displayed() and text in (found.text, found.get_attribute("aria-label")):
                        return found
                except StaleElementReferenceException:
                    pass
            return None
        return wait_until(look, f"there is a button {text!r}")

    def press(self, text, within="body"):
        def click():
            try:
                self.button(text, within).click()
                return True
            except WebDriverException:  # something lies over it for a moment
                return False
        wait_until(click, f"the button {text!r} can be pressed")

    def field(self, label):
        """The control of the dialog's field with this title."""
        return self.browser.execute_script(
            "return [...document.querySelectorAll('#dialog .field')].find((f) => f.querySelector('span').textContent === arguments[0])"
            ".querySelector('input, select, textarea')", label)

    def fill(self, label, text):
        control = self.field(label)
        control.clear()
        control.send_keys(text)

    def submit(self, verb):
        """Presses the dialog's button, and waits until it has done its work."""
        self.press(verb, "#dialog")
        wait_until(lambda: not self.find("#dialog").is_displayed(), "the dialog is closed")


class Seen(DashboardCase):
    def test_it_shows_the_broker_and_its_topics_as_they_change(self):
        self.open()
        self.wait_for_text("#health", "healthy")
        self.wait_for_text("#facts", "version 0.")
        self.wait_for_text("#vitals", "Memory", "MB", "fsync everysec", "http")
        self.wait_for_text("#welcome", "Nothing here yet")
        topic = Topic.create(self.broker, "orders", "production", queue_count=2, ack_timeout_ms=LONG)
        self.wait_for_text("#topics tbody", "production / orders")
        topic.fill(range(12))
        topic.consume(0, 2)
        self.wait_for_text("#topics tbody tr td:nth-child(2)", "10")
        self.wait_for_text("#topics tbody tr td:nth-child(3)", "2")
        self.wait_for_text(".chart.depth .value", "10")
        self.assertEqual(self.text("#welcome"), "")
        topic.ok("DELETE", "")
        self.wait_for_text("#welcome", "Nothing here yet")

    def test_a_topic_shows_its_queues_and_settings(self):
        topic = Topic.create(self.broker, "orders", "production", queue_count=3, ack_timeout_ms=90_000, max_deliveries=4)
        topic.fill(range(7), queue_id=1)
        self.open()
        self.wait_for_text("#topics tbody", "orders")
        self.find("#topics tbody a").click()
        self.wait_for_text("#topic", "3 queues, version 1", "1 m 30 s", "Max deliveries\n4")
        self.wait_for_text("#topic tbody tr:nth-child(2) td:nth-child(2)", "7")
        topic.ok("PUT", "/resize", {"new_queue_count": 5})
        self.wait_for_text("#topic", "5 queues, version 2")
        self.browser.refresh()  # the address names the topic
        self.wait_for_text("#topic", "5 queues, version 2")
        self.press("Close")
        wait_until(lambda: self.text("#topic") == "", "the topic is closed")
        self.browser.back()
        self.wait_for_text("#topic", "5 queues")
        topic.ok("DELETE", "")
        self.wait_for_text("#toasts", "not there any more")

    def test_nothing_that_users_wrote_becomes_markup(self):
        topic = Topic.create(self.broker, "orders", "production", max_deliveries=1, ack_timeout_ms=LONG)
        for extra in ({"payload": {"html": HOSTILE}}, {"payload_base64": "PGltZyBzcmM9eCBvbmVycm9yPSd3aW5kb3cuaGFja2VkPTEnPg=="}):
            topic.ok("POST", "/publish", {"headers": {HOSTILE: HOSTILE}, "routing_key": HOSTILE} | extra)
        topic.nack(ids(topic.consume()))
        self.open("#/production/orders")
        self.press("Show")
        self.wait_for_text("#topic .message", HOSTILE.replace('"', '\\"'), f"key {HOSTILE}", f"{HOSTILE}: {HOSTILE}")
        self.press("Look into queue 0")
        self.wait_for_text("#topic .message pre", "<img src=x onerror='window.hacked=1'>")
        self.open(f"#/{HOSTILE}/x")
        self.wait_for_text("#topic h2", "script>")
        self.assertEqual(self.browser.find_elements(By.CSS_SELECTOR, "#topic img, #topic script, #toasts img"), [])

    def test_injected_script_would_not_run_either(self):
        self.open()
        self.browser.execute_script("document.body.insertAdjacentHTML('beforeend', arguments[0]);"
                                    "document.body.append(Object.assign(document.createElement('script'), {text: 'window.hacked=1'}))",
                                    HOSTILE)
        refused = []

        def both_are_refused():
            refused.extend(entry["message"] for entry in self.browser.get_log("browser"))
            return any("inline script" in m for m in refused) and any("loading the image" in m.lower() for m in refused)
        wait_until(both_are_refused, f"the browser refuses the image and the script: {refused}")

    def test_payloads_are_shown_as_they_were_published(self):
        topic = Topic.create(self.broker)
        body = '{"payload": {"n": 12345678901234567890, "payload":  [1.0, "}\\\\\\""]}, "headers": {"payload": "x"}}'
        topic.ok("POST", "/publish", body)
        topic.ok("POST", "/publish", {"payload_base64": "AAH/"})
        self.open(f"#/{topic.path.split('/')[3]}/{topic.path.split('/')[5]}")
        self.press("Look into queue 0")
        self.wait_for_text("#topic .message pre", '{"n": 12345678901234567890, "payload":  [1.0, "}\\\\\\""]}', "00 01 ff")

    def test_a_thousand_topics_do_not_make_a_thousand_rows(self):
        self.broker.post("/v1/namespaces", {"name": "many"})
        with self.broker.client() as client:
            for n in range(1000):
                self.assertEqual(client.request("POST", "/v1/namespaces/many/topics", {"name": f"topic-{n:03}"}).status, 201)
        self.open()
        self.wait_for_text("#topic-count", "1,000")
        self.assertEqual(len(self.browser.find_elements(By.CSS_SELECTOR, "#topics tbody tr")), 100)
        self.press("Show more (900)")
        self.assertEqual(len(self.browser.find_elements(By.CSS_SELECTOR, "#topics tbody tr")), 200)
        self.find("#filter").send_keys("many 77")
        self.wait_for_text("#topic-count", "19 of 1000")
        self.wait_for_text("#topics tbody", "topic-077", "topic-977")

    def test_it_says_when_the_broker_is_gone_and_finds_it_again(self):
        self.open()
        self.wait_for_text("#health", "healthy")
        port = self.broker.port
        self.broker.terminate()
        self.wait_for_text("#health", "no answer")
        self.wait_for_text("#trouble", "does not answer")
        self.broker = self.start_broker("--server.http.port", port, folder=self.broker.folder)
        self.wait_for_text("#health", "healthy")
        self.assertEqual(self.text("#trouble"), "")

    def test_it_asks_nothing_while_paused_or_hidden(self):
        self.open()
        self.browser.execute_script("window.asked = 0; const ask = fetch;"
                                    "window.fetch = (...what) => { ++window.asked; return ask(...what); }")
        wake = "document.dispatchEvent(new Event('visibilitychange')); return window.asked"
        self.press("Pause")
        wait_until(lambda: self.browser.execute_script("const n = window.asked; window.asked = 0; return n === 0"),
                   "nothing is under way")
        self.assertEqual(self.browser.execute_script(wake), 0)
        self.browser.execute_script("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
        self.press("Resume")
        self.assertEqual(self.browser.execute_script(wake), 0)
        self.browser.execute_script("delete document.hidden")
        wait_until(lambda: self.browser.execute_script(wake) > 0, "it asks again")

    def test_it_fits_on_a_small_screen_in_light_and_dark(self):
        topic = Topic.create(self.broker, "a-name-that-is-long-enough-to-wrap-" + "x" * 60, "production", queue_count=8)
        topic.fill(range(20))
        self.addCleanup(self.browser.execute_cdp_cmd, "Emulation.clearDeviceMetricsOverride", {})
        self.addCleanup(self.browser.execute_cdp_cmd, "Emulation.setEmulatedMedia", {"features": []})
        for scheme in ("light", "dark"):
            self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                         {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
            for width in (360, 800, 1600):
                self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                             {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False})
                self.open(f"#/production/{topic.path.rsplit('/', 1)[1]}")
                self.wait_for_text("#topic", "8 queues")
                self.assertLessEqual(self.browser.execute_script("return document.documentElement.scrollWidth"), width)

    def test_every_control_has_a_name(self):
        Topic.create(self.broker, "orders", "production")
        self.open("#/production/orders")
        self.press("Publish")
        nameless = self.browser.execute_script(
            "return [...document.querySelectorAll('button, a, input, select, textarea')].filter((e) => !(e.innerText.trim() ||"
            " e.ariaLabel || (e.labels && e.labels[0]?.textContent.trim()))).map((e) => e.outerHTML)")
        self.assertEqual(nameless, [])
        self.find("#dialog").send_keys(Keys.ESCAPE)
        wait_until(lambda: not self.find("#dialog").is_displayed(), "the dialog is closed")


class Done(DashboardCase):
    def setUp(self):
        super().setUp()
        self.topic = Topic.create(self.broker, "orders", "production", queue_count=3, max_deliveries=1, ack_timeout_ms=LONG)
        self.open("#/production/orders")
        self.wait_for_text("#topic", "3 queues")

    def test_create_resize_rebalance_and_delete_a_topic(self):
        self.press("New topic")
        self.fill("Namespace", "fresh")
        self.fill("Name", "jobs")
        self.fill("Queues", "2")
        self.submit("Create")
        self.wait_for_text("#topic", "jobs", "2 queues")
        self.press("New topic")
        self.fill("Name", "jobs")
        self.press("Create", "#dialog")
        self.wait_for_text("#dialog", "exists already")
        self.press("Cancel", "#dialog")
        self.press("Resize")
        self.fill("Queues", "4")
        self.submit("Resize")
        self.wait_for_text("#topic", "4 queues, version 2")
        jobs = Topic(self.broker, "/v1/namespaces/fresh/topics/jobs")
        jobs.fill(range(8), queue_id=0)
        self.press("Rebalance")
        wait_until(lambda: [q["ready"] for q in jobs.info()["queues"]] == [2, 2, 2, 2], "it is rebalanced")
        self.press("Delete")
        self.wait_for_text("#dialog", "All messages of fresh/jobs are deleted")
        self.press("Cancel", "#dialog")
        self.assertEqual(jobs.info()["name"], "jobs")
        self.press("Delete")
        self.submit("Delete")
        wait_until(lambda: self.broker.get(jobs.path).status == 404, "it is deleted")

    def test_publish_json_and_text(self):
        self.press("Publish")
        self.fill("Payload", '{"big": 12345678901234567890}')
        self.fill("Routing key", "user-1")
        self.fill("Headers, one a line", "trace: a:b\n\nempty:")
        self.submit("Publish")
        queue = wait_until(lambda: [q for q in self.topic.info()["queues"] if q["ready"]], "it is published")[0]["queue_id"]
        message = self.topic.consume(queue)[0]
        self.assertEqual((message["payload"], message["routing_key"], message["headers"]),
                         ({"big": 12345678901234567890}, "user-1", {"trace": "a:b", "empty": ""}))
        self.press("Publish")
        self.fill("Payload", "just grün text")
        self.wait_for_text("#dialog", "This is no JSON")
        self.field("Queue").send_keys("2")
        self.fill("Delay in seconds", "0.05")
        self.submit("Publish")
        wait_until(lambda: self.topic.counts(2)[0] == 1, "it is there")
        self.assertEqual(self.topic.consume(2)[0]["payload_base64"], "anVzdCBncsO8biB0ZXh0")
        self.press("Publish")
        self.fill("Headers, one a line", "no colon")
        self.press("Publish", "#dialog")
        self.wait_for_text("#dialog", 'a header must be "name: value"')

    def test_look_into_a_queue_and_purge_it(self):
        self.topic.fill(range(5), queue_id=1)
        self.topic.consume(1)
        self.press("Look into queue 1")
        self.wait_for_text("#topic .message pre", "1\n2\n3\n4")
        self.press("leased")
        wait_until(lambda: self.text("#topic .message pre") == "0", "the leased one is shown")
        self.press("delayed")
        self.wait_for_text("#topic", "No message is delayed.")
        self.press("Purge queue 1")
        self.wait_for_text("#dialog", "What waits in queue 1 of production/orders is deleted")
        self.press("Cancel", "#dialog")
        self.assertEqual(self.topic.counts(1), (4, 1, 0))
        self.press("Purge queue 1")
        self.submit("Purge")
        wait_until(lambda: self.topic.counts(1) == (0, 1, 0), "the queue is purged")

    def test_dead_letters_are_shown_redriven_and_purged(self):
        self.topic.fill(range(3), queue_id=0)
        self.topic.nack(ids(self.topic.consume(0, 3)))
        self.wait_for_text("#topic .pill", "3")
        self.press("Show")
        self.wait_for_text("#topic .message", "max_deliveries")
        self.press("Redrive")
        wait_until(lambda: self.topic.counts(0)[0] == 1, "one is redriven")
        self.press("Redrive all")
        self.submit("Redrive")
        wait_until(lambda: self.topic.info()["dead"] == 0, "all are redriven")
        self.topic.nack(ids(self.topic.consume(0, 3)))
        self.press("Purge", "#topic .panel")
        self.wait_for_text("#dialog", "All dead letters of production/orders are deleted")
        self.submit("Purge")
        wait_until(lambda: self.topic.info()["dead"] == 0, "they are purged")
        self.assertEqual(self.topic.counts(0), (0, 0, 0))


if __name__ == "__main__":
    unittest.main()
