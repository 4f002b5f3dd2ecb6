#include <uv.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>
#include <fcntl.h>
