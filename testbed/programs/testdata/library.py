# Writes a directory of Python's library as a zip file of compiled modules, without what needs other libraries.
import os
import py_compile
import sys
import tempfile
import zipfile

top, out = sys.argv[1:]
without = {"test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "distutils", "ctypes", "curses", "dbm", "sqlite3", "venv"}
with zipfile.ZipFile(out, "w") as library, tempfile.TemporaryDirectory() as scratch:
    for directory, subdirectories, files in os.walk(top):
        subdirectories[:] = sorted(set(subdirectories) - without)
        for name in sorted(files):
            if name.endswith(".py"):
                path = os.path.join(directory, name)
                module = os.path.relpath(path, top)
                compiled = py_compile.compile(path, os.path.join(scratch, "module.pyc"), module, doraise=True)
                library.write(compiled, module + "c")
