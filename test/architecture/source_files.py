"""The files of the project: what git tracks and what it would track, or, without git, what lies in the folder."""
import os
import subprocess


def source_files(root):
    """Paths relative to `root`, sorted; what .gitignore names is left out."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False)
    if listing.returncode == 0:
        names = listing.stdout.split("\0")
    else:
        names = []
        for folder, folders, files in os.walk(root):
            folders[:] = [f for f in folders if f not in (".git", "build", "data", "__pycache__")]
            names += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return sorted(name for name in set(names) if name and os.path.isfile(os.path.join(root, name)))
