# The service on the hosts of the comparison: small, so that the tools are measured and not its start.
# perl service.pl APP ADDRESS PORT: listens, then leaves a process behind with its PID in run/app.pid, and answers UP.
use strict;
use warnings;
use Socket;

my ($app, $address, $port) = @ARGV;
socket my $listener, PF_INET, SOCK_STREAM, 0 or die $!;
setsockopt $listener, SOL_SOCKET, SO_REUSEADDR, 1 or die $!;
bind $listener, sockaddr_in($port, inet_aton($address)) or die "can't listen on $address:$port: $!\n";
listen $listener, 64 or die $!;
my $child = fork // die "can't fork: $!\n";
if ($child) {
    open my $pid, '>', "$app/run/app.pid" or die $!;
    print $pid "$child\n";
    exit 0;
}
open STDIN, '<', '/dev/null' or die $!;
open STDOUT, '>>', "$app/logs/catalina.out" or die $!;
open STDERR, '>&', \*STDOUT or die $!;
$| = 1;
$SIG{PIPE} = 'IGNORE';
print "INFO: Server startup in [1] milliseconds\n";
while (1) {
    accept my $line, $listener or next;
    sysread $line, my $request, 4096;
    my $body = '{"status": "UP"}';
    syswrite $line, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    close $line;
}
