# The service on the hosts of the comparison: small, so that the tools are measured and not its start.
# perl service.pl APP ADDRESS PORT: listens, then leaves a process behind with its PID in run/app.pid, and answers UP.
use strict;
use warnings;
use IO::Socket::INET;

my ($app, $address, $port) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 64, ReuseAddr => 1)
  or die "can't listen on $address:$port: $!\n";
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
    my $line = $listener->accept or next;
    sysread $line, my $request, 4096;
    my $body = '{"status": "UP"}';
    print $line "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    close $line;
}
