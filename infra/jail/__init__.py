"""The jail: the process that runs one core after another under limits.

What holds, as root and unprivileged alike:
    memory        RLIMIT_AS: each job may map *memory_bytes* more than is mapped already
    processor     ITIMER_PROF counts all threads; its signal ends the process
    wall clock    the parent's SIGKILL, to the whole process group
    files         RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_CORE 0
    network       a seccomp filter refuses socket() and io_uring (x86_64, aarch64)
    secrets       empty environment, no descriptor but those of the job
    orphans       the kernel kills the process group when the parent's pipe closes
What holds where the kernel lets an unprivileged process make namespaces: an empty
network namespace; a user namespace, which shuts the parent's environment and memory
(/proc, ptrace) and bounds processes (RLIMIT_NPROC). Root gets the network namespace
only, since without root's capabilities its own modules may be out of reach.

What does not hold: a core that was taken over may read and write the files that its
user may (Landlock's place is `limits.confine`), leave the process group, and mislead
later jobs of the same process; hence their number per process is bounded. As root it
keeps root's capabilities: run workers as a user of their own.

Linux only. Nothing here is imported by the parent but `wire` and `limits.Limits`.
"""
