"""The client package as a program outside of this repository finds it: installed, the examples built against it, and run."""

import os
import shutil
import subprocess
import unittest

from harness import SOURCE, BrokerCase

CMAKE = os.environ["MQLITE_CMAKE"]
BUILD = os.environ["MQLITE_BUILD"]
CAF_DIR = os.environ["MQLITE_CAF_DIR"]


class Package(BrokerCase):
    def run_tool(self, *command):
        """Its output, which is shown only when it fails."""
        result = subprocess.run(list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
        self.assertEqual(result.returncode, 0, f"{command}\n{result.stdout[-4000:]}")
        return result.stdout

    def build_examples(self, folder):
        prefix, build = f"{folder}/prefix", f"{folder}/build"
        self.run_tool(CMAKE, "--install", BUILD, "--component", "client", "--prefix", prefix)
        options = [f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCAF_DIR={CAF_DIR}", "-G", "Ninja"]
        if launcher := shutil.which("ccache"):
            options.append(f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}")
        source = shutil.copytree(f"{SOURCE}/examples", f"{folder}/examples")
        self.run_tool(CMAKE, "-S", source, "-B", build, *options)
        self.run_tool(CMAKE, "--build", build, "--parallel", str(os.cpu_count() or 1))
        return build

    def test_the_examples_build_against_the_installed_package_and_work(self):
        build = self.build_examples(self.temporary_folder())
        broker = self.start_broker()
        where = ("127.0.0.1", broker.ports["caf"], "production", "orders")
        path = "/v1/namespaces/production/topics/orders"

        def left():
            queues = broker.ok("GET", path)["queues"]
            return sum(q["ready"] for q in queues), sum(q["leased"] for q in queues)

        self.assertEqual(self.run_tool(f"{build}/producer", *where, 1050), "published 1050\n")
        self.assertEqual(left(), (1050, 0))
        self.assertEqual(self.run_tool(f"{build}/worker", *where, 1050), "worked\n")
        self.assertEqual(left(), (0, 0))
        self.run_tool(f"{build}/producer", *where, 700)
        self.assertEqual(self.run_tool(f"{build}/subscriber", *where, 700), "taken\n")
        self.assertEqual(left(), (0, 0))

    def test_the_package_needs_neither_grpc_nor_boost_nor_protobuf(self):
        prefix = self.temporary_folder()
        self.run_tool(CMAKE, "--install", BUILD, "--component", "client", "--prefix", prefix)
        found = []
        for folder, _, names in os.walk(prefix):
            found += [os.path.join(folder, name) for name in names]
        self.assertTrue(any(name.endswith("mqlite-config.cmake") for name in found), found)
        for name in found:
            if not name.endswith((".hpp", ".cmake")):
                continue
            with open(name, encoding="utf-8") as file:
                text = file.read().lower()
            for library in ("grpc", "boost", "protobuf"):
                self.assertNotIn(library, text, name)


if __name__ == "__main__":
    unittest.main()
